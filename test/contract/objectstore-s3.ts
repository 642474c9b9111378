import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { openS3Store } from '../../src/blobstore/object-store/s3.ts'
import { fastClock } from '../support/fast-clock.ts'
import { emptied, freshBucket } from '../support/servers/bucket.ts'
import { right } from './support.ts'
import type { StoreFixture } from './objectstore.adapters.ts'

/** Hands requests on to a server, and cuts off those that the test does not want to arrive. */
export class HttpRelay implements AsyncDisposable {
  /** Connections of requests for which it is true are cut. */
  cut: (message: IncomingMessage) => boolean = () => false
  /** Requests so far, by their method. */
  readonly seen: string[] = []
  readonly #server = createServer((message, answer) => this.#forward(message, answer))
  readonly #target: { readonly host: string; readonly port: number }

  constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('a listening server has a port')
    return address.port
  }

  #forward(message: IncomingMessage, answer: ServerResponse): void {
    this.seen.push(message.method ?? '')
    if (this.cut(message)) return void message.socket.destroy()
    const { method, headers, url: path } = message
    const onward = request({ ...this.#target, method, headers, path }, (response) => {
      answer.writeHead(response.statusCode ?? 500, response.headers)
      response.pipe(answer)
    })
    onward.on('error', () => message.socket.destroy())
    message.pipe(onward)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** A bucket of its own for each test; whoever puts reaches the server through a relay. */
export const s3Fixture = async (url: string): Promise<StoreFixture> => {
  const address = freshBucket(url)
  const relay = new HttpRelay({ host: address.host, port: address.port ?? 80 })
  const clock = fastClock(20)
  const direct = right(await openS3Store(address, clock)())
  const near = { ...address, host: '127.0.0.1', port: await relay.listen() }
  const change = async (name: string, into: (bytes: Buffer) => Buffer): Promise<void> =>
    right(await direct.put(name, [into(right(await direct.get(name)()))])())
  return {
    open: async () => right(await openS3Store(near, clock)()),
    flip: (name, bit) =>
      change(name, (bytes) => {
        bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
        return bytes
      }),
    cut: (name, size) => change(name, (bytes) => bytes.subarray(0, size)),
    break: async () => {
      relay.cut = ({ method }) => method === 'PUT'
    },
    [Symbol.asyncDispose]: async () => {
      await emptied(direct)
      await direct[Symbol.asyncDispose]()
      await relay[Symbol.asyncDispose]()
    },
  }
}
