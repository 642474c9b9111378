import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import type { AddressInfo, Socket as Wire } from 'node:net'
import type { ServerTransport } from '../port.ts'
import type { SessionServerOptions } from '../session/options.ts'
import { SessionServer } from '../session/server.ts'
import { plainAddress } from './address.ts'
import { admission, toMakeWay, CONNECTION_LIMITS, type ConnectionLimits } from './admission.ts'
import { WebSocketLink, WebSocketPipe } from './pipe.ts'
import { servePlain } from './plain.ts'
import { Socket, SOCKET_OPTIONS, SUBPROTOCOL, WebSocketServer } from './socket.ts'

export interface WebSocketServerOptions extends SessionServerOptions {
  /** Port 0: one that is free. */
  readonly listen: { readonly host: string; readonly port: number }
  /** PEM. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Answers what is not a WebSocket, on the same port. */
  readonly httpHandler: RequestListener
  readonly connections?: Partial<ConnectionLimits>
}

export interface WebSocketServerTransport extends ServerTransport {
  readonly address: { readonly host: string; readonly port: number }
}

/** Listens; rejects where the address can't be listened on. WebSockets are taken on `/` and `/ws`. */
export const createWebSocketServer = async (options: WebSocketServerOptions): Promise<WebSocketServerTransport> => {
  const { tls, httpHandler, listen } = options
  const http =
    tls === undefined ? createServer(httpHandler) : createTlsServer({ cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2' }, httpHandler)
  const limits = { ...CONNECTION_LIMITS, ...options.connections }
  http.maxConnections = limits.maxConnections + 64
  const address = await listening(http, listen)
  return new ListeningServer(http, address, limits, options)
}

/** The session server, and the port it listens on. */
class ListeningServer extends SessionServer implements WebSocketServerTransport {
  readonly address: { readonly host: string; readonly port: number }
  readonly #http: Server
  readonly #sockets = new WebSocketServer<typeof Socket>({
    ...SOCKET_OPTIONS,
    noServer: true,
    clientTracking: false,
    WebSocket: Socket,
    handleProtocols: (offered) => offered.has(SUBPROTOCOL) && SUBPROTOCOL,
  })
  readonly #limits: ConnectionLimits
  readonly #options: WebSocketServerOptions

  constructor(http: Server, address: AddressInfo, limits: ConnectionLimits, options: WebSocketServerOptions) {
    super(options)
    this.#http = http
    this.address = { host: address.address, port: address.port }
    this.#limits = limits
    this.#options = options
    http.on('error', (error) => options.log?.({ tag: 'Rejected', address: '', reason: error.message }))
    http.on('upgrade', (request, stream, head) => this.#upgrade(request, stream, head))
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()))
    this.#http.removeAllListeners('upgrade')
    await super[Symbol.asyncDispose]()
    this.#http.closeAllConnections()
    await closed
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const address = plainAddress(request.socket.remoteAddress)
    const refused = admission(request, this.open, this.#limits)
    if (refused !== undefined) {
      this.#options.log?.({ tag: 'Rejected', address, reason: refused.reason })
      stream.on('error', () => stream.destroy())
      return void stream.end(
        `HTTP/1.1 ${refused.status}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(refused.reason)}\r\n\r\n${refused.reason}`,
        () => stream.destroy(),
      )
    }
    this.#sockets.handleUpgrade(request, stream, head, (socket) => this.#admit(socket, request.socket, address))
  }

  #admit(socket: Socket, wire: Wire, address: string): void {
    toMakeWay(address, this.strangers, this.#limits)?.close('policy', 'It did not sign in before too many others came.')
    const sockets = { socket, wire, clock: this.#options.clock }
    if (socket.protocol === SUBPROTOCOL) return this.accept(new WebSocketLink(sockets), address)
    const pipe = new WebSocketPipe(sockets)
    const connection = this.acceptPlain(pipe, address)
    servePlain(pipe, connection, this.#options.clock, (reason) => this.closed(connection, reason))
  }
}

const listening = (http: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<AddressInfo> =>
  new Promise((resolve, reject) => {
    http.once('error', reject)
    http.listen({ host, port }, () => {
      http.off('error', reject)
      const address = http.address()
      if (address === null || typeof address === 'string') return reject(new Error('A port has an address.'))
      resolve(address)
    })
  })
