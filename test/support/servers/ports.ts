import { randomInt } from 'node:crypto'
import { createServer, type Server } from 'node:net'

const listening = (port: number): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })

const closed = (servers: readonly Server[]): Promise<unknown> =>
  Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))

/** Below the ports that a system hands out by itself: so no connection takes one between the look and its use. */
const LOWEST = 10_000
const HIGHEST = 30_000

/**
 * So many free ports in a row, from a place of chance: others who look at the same moment look elsewhere. Somebody may take them all the same
 * before they are used: then starting what needs them fails, and says so.
 */
export const freePorts = async (count: number): Promise<readonly number[]> => {
  for (let tries = 0; tries < 50; tries += 1) {
    const start = randomInt(LOWEST, HIGHEST)
    const tried = await Promise.allSettled(Array.from({ length: count }, (_, at) => listening(start + at)))
    const open = tried.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    await closed(open)
    if (open.length === count) return Array.from({ length: count }, (_, at) => start + at)
  }
  throw new Error(`no ${count} free ports in a row`)
}
