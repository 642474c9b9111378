import { createServer, type Server } from 'node:net'

const listening = (port: number): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })

const portOf = (server: Server): number => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a listening server has a port')
  return address.port
}

const closed = (servers: readonly Server[]): Promise<unknown> =>
  Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))

/** So many free ports in a row. Somebody else may take them before they are used: then starting what needs them fails, and says so. */
export const freePorts = async (count: number): Promise<readonly number[]> => {
  for (let tries = 0; tries < 50; tries += 1) {
    const first = await listening(0)
    const start = portOf(first)
    const others = await Promise.allSettled(Array.from({ length: count - 1 }, (_, at) => listening(start + 1 + at)))
    const open = others.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    await closed([first, ...open])
    if (open.length === count - 1) return Array.from({ length: count }, (_, at) => start + at)
  }
  throw new Error(`no ${count} free ports in a row`)
}
