import { chmodSync, closeSync, existsSync, openSync, rmSync } from 'node:fs'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import * as E from 'fp-ts/lib/Either.js'
import { fail, type Outcome } from './failure.ts'

/** Answers what a command asks of the gateway that runs, line by line, each a JSON value. */
export type ControlHandler = (asked: unknown, answer: (line: unknown) => void) => Promise<void>

const SOCKET = 'control.sock'
const MAX_ASKED_BYTES = 64 * 1024

/** A socket's name has at most so many bytes. */
const LONGEST_NAME = 100

/** The socket's name, short enough for the system: through the open directory where the directory's own name is long. Valid until disposed of. */
const socketIn = (data: string): { readonly path: string } & Disposable => {
  const path = join(data, SOCKET)
  if (Buffer.byteLength(path) <= LONGEST_NAME) return { path, [Symbol.dispose]: () => undefined }
  const directory = openSync(data, 'r')
  return { path: `/proc/self/fd/${directory}/${SOCKET}`, [Symbol.dispose]: () => closeSync(directory) }
}

/** Listens in the data directory, which only the gateway's own user may enter, until `parts` end. */
export const serveControl = async (data: string, handler: ControlHandler, parts: AsyncDisposableStack): Promise<Outcome> => {
  const server = createServer((asked, response) => void answer(asked, response, handler))
  // A process that was killed has left it there; the directory's lock says that there is no other.
  rmSync(join(data, SOCKET), { force: true })
  try {
    const { path } = parts.use(socketIn(data))
    server.listen(path)
    await once(server, 'listening')
    chmodSync(path, 0o600)
  } catch (error) {
    return fail('failed', `${data}/${SOCKET} cannot be listened on: ${error instanceof Error ? error.message : String(error)}`)
  }
  parts.defer(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })
  return E.right(undefined)
}

const answer = async (asked: IncomingMessage, response: ServerResponse, handler: ControlHandler): Promise<void> => {
  const body = await bodyOf(asked)
  if (body === undefined) return void response.writeHead(400).end()
  response.writeHead(200, { 'Content-Type': 'application/jsonl' })
  await handler(body, (line) => void response.write(`${JSON.stringify(line)}\n`))
  response.end()
}

const bodyOf = async (asked: IncomingMessage): Promise<unknown> => {
  const parts: Buffer[] = []
  let bytes = 0
  // A command that is killed as it asks breaks the stream: that must not end the gateway.
  try {
    for await (const part of asked) {
      // A stream of bytes without an encoding gives buffers.
      const buffer = part as Buffer
      bytes += buffer.length
      if (bytes > MAX_ASKED_BYTES) return undefined
      parts.push(buffer)
    }
    return JSON.parse(Buffer.concat(parts).toString()) as unknown
  } catch {
    return undefined
  }
}

/** Asks the gateway that runs on a data directory; undefined: none does. Where the signal aborts, what is under way there goes on, and reading its lines throws. */
export const askControl = async (data: string, asked: unknown, signal?: AbortSignal): Promise<AsyncIterable<unknown> | undefined> => {
  if (!existsSync(join(data, SOCKET))) return undefined
  using socket = socketIn(data)
  const asking = request({ socketPath: socket.path, method: 'POST', path: '/', ...(signal === undefined ? {} : { signal }) })
  asking.end(JSON.stringify(asked))
  const response = await new Promise<IncomingMessage | undefined>((resolve) => {
    asking.once('response', resolve)
    asking.once('error', () => resolve(undefined))
  })
  return response === undefined ? undefined : linesOf(response)
}

async function* linesOf(response: IncomingMessage): AsyncGenerator {
  for await (const line of createInterface({ input: response })) yield JSON.parse(line) as unknown
}
