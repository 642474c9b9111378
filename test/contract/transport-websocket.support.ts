import { randomBytes } from 'node:crypto'
import { onTestFinished } from 'vitest'
import { createWebSocketServer, type WebSocketServerOptions, type WebSocketServerTransport } from '../../src/transport/websocket/server.ts'
import { fastClock } from '../support/fast-clock.ts'

/** A gateway on a free port, until the test is finished; its time runs 20 times as fast, and it waits long for a sign-in. */
export const startServer = async (options: Partial<WebSocketServerOptions> = {}): Promise<WebSocketServerTransport> => {
  const server = await createWebSocketServer({
    listen: { host: '127.0.0.1', port: 0 },
    clock: fastClock(20),
    random: randomBytes,
    httpHandler: (request, answer) => answer.end(`you asked for ${request.url}`),
    ...options,
    limits: { signInMs: 3_600_000, ...options.limits },
  })
  onTestFinished(() => server[Symbol.asyncDispose]())
  return server
}

export const SUBPROTOCOL = { 'Sec-WebSocket-Protocol': 'eventsync.1' }
