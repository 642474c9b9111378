import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { KNOWN_SERVERS, type KnownServer, type ServerName, type TestServer } from './known.ts'

/** What a test file is told: where the server is, or what is missing. */
export type Found = { readonly url: string } | { readonly missing: string }

declare module 'vitest' {
  interface ProvidedContext {
    /** Asked for a server by its name (`/s3`), it answers with {@link Found}. */
    servers: string
  }
}

const isThere = (program: string): boolean =>
  [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'].some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })

class Servers {
  readonly #root = mkdtempSync(join(tmpdir(), 'eventsync-servers-'))
  readonly #asked = new Map<ServerName, Promise<Found>>()
  readonly #running: TestServer[] = []

  /** Each is started when it is first asked for, once a run. */
  find(name: ServerName): Promise<Found> {
    const before = this.#asked.get(name)
    if (before !== undefined) return before
    const found = this.#start(name, KNOWN_SERVERS[name])
    this.#asked.set(name, found)
    return found
  }

  async #start(name: ServerName, known: KnownServer): Promise<Found> {
    const given = process.env[known.variable]
    if (given !== undefined && given !== '') return { url: given }
    const missing = known.programs.filter((program) => !isThere(program))
    if (missing.length > 0) return { missing: `${missing.join(', ')}: ${known.install} (or name a server with ${known.variable})` }
    try {
      const server = await known.start(join(this.#root, name))
      this.#running.push(server)
      return { url: server.url }
    } catch (error) {
      return { missing: `it did not start: ${error instanceof Error ? error.message : String(error)}` }
    }
  }

  async stop(): Promise<void> {
    await Promise.allSettled(this.#asked.values())
    await Promise.all(this.#running.map((server) => server.stop()))
    rmSync(this.#root, { recursive: true, force: true, maxRetries: 5 })
  }
}

const nameOf = ({ url = '' }: IncomingMessage): ServerName | undefined => {
  const name = url.slice(1)
  // The names are the keys of a constant object.
  return Object.hasOwn(KNOWN_SERVERS, name) ? (name as ServerName) : undefined
}

/** Vitest calls it once before all test files, whichever were chosen; nothing is started until one of them asks. */
export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const servers = new Servers()
  const desk = createServer((request, response) => {
    const name = nameOf(request)
    if (name === undefined) return void response.writeHead(404).end()
    void servers.find(name).then((found) => response.end(JSON.stringify(found)))
  })
  await new Promise<void>((resolve) => desk.listen(0, '127.0.0.1', resolve))
  const address = desk.address()
  if (address === null || typeof address === 'string') throw new Error('a listening server has a port')
  project.provide('servers', `http://127.0.0.1:${address.port}`)
  return async () => {
    desk.close()
    await servers.stop()
  }
}
