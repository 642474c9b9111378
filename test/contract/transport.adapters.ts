import { randomBytes } from 'node:crypto'
import type { Clock } from '../../src/lib/clock.ts'
import { MemoryNetwork } from '../../src/transport/memory.ts'
import type { ClientTransport, ServerTransport } from '../../src/transport/port.ts'
import type { SessionClientOptions } from '../../src/transport/session/client.ts'
import type { SessionServerOptions } from '../../src/transport/session/options.ts'
import { createWebSocketClient } from '../../src/transport/websocket/client.ts'
import { createWebSocketServer } from '../../src/transport/websocket/server.ts'
import { selfSigned } from '../support/certificate.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

export type ServerOptions = Pick<SessionServerOptions, 'limits' | 'log'>
export type ClientOptions = Pick<SessionClientOptions, 'signIn' | 'requestTimeoutMs' | 'maxPauseMs' | 'onState'>

/** One network with a place for one gateway. */
export interface TransportFixture extends AsyncDisposable {
  /** Starts a gateway where clients look for it; an earlier one must be gone. */
  server(options?: ServerOptions): Promise<ServerTransport>
  client(options?: ClientOptions): ClientTransport
  /** Breaks every connection, without a word on either side. */
  cut(): void
}

export interface TransportAdapter {
  readonly create: (clock: Clock) => Promise<TransportFixture>
}

const memory = async (clock: Clock): Promise<TransportFixture> => {
  const network = new MemoryNetwork({ clock, random: randomBytes })
  return {
    server: async (options) => network.server(options),
    client: (options = {}) => network.client({ name: 'client', ...options }),
    cut: () => network.cut(),
    [Symbol.asyncDispose]: async () => network.cut(),
  }
}

/** Between client and gateway stands a proxy that can break what runs through it. */
const webSocket = async (clock: Clock, tls?: { readonly cert: string; readonly key: string }): Promise<TransportFixture> => {
  const proxy = await TcpProxy.listen()
  const url = `${tls === undefined ? 'ws' : 'wss'}://127.0.0.1:${proxy.port}`
  const common = { clock, random: randomBytes }
  return {
    server: async (options) => {
      const listen = { host: '127.0.0.1', port: 0 }
      const server = await createWebSocketServer({
        ...common,
        ...options,
        ...(tls && { tls }),
        listen,
        httpHandler: (_, answer) => answer.end(),
      })
      proxy.target = server.address.port
      return server
    },
    client: (options = {}) => createWebSocketClient({ ...common, ...options, url, ...(tls && { tls: { ca: tls.cert } }) }),
    cut: () => proxy.cut(),
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  }
}

/** Every adapter of the port; `EVENTSYNC_TEST_TRANSPORT` picks some. */
export const TRANSPORT_ADAPTERS = {
  memory: { create: memory },
  websocket: { create: (clock) => webSocket(clock) },
  'websocket-tls': { create: (clock) => webSocket(clock, selfSigned()) },
} satisfies Record<string, TransportAdapter>
