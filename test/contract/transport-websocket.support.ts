import { randomBytes } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import { onTestFinished } from 'vitest'
import { NO_BYTES } from '../../src/transport/port.ts'
import { decodeFrame, encodeFrame, type Frame } from '../../src/transport/session/framing.ts'
import { createWebSocketServer, type WebSocketServerOptions, type WebSocketServerTransport } from '../../src/transport/websocket/server.ts'
import { fastClock } from '../support/fast-clock.ts'
import type { RawPeer } from '../support/raw-websocket.ts'

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

/** A frame as it is sent: a request, where nothing else is said. */
export const requestBytes = (frame: Partial<Frame>): Buffer => {
  const pieces = encodeFrame({ type: 'request', id: 1, head: {}, payload: NO_BYTES, ...frame })
  if (E.isLeft(pieces)) throw new Error(pieces.left)
  return Buffer.concat(pieces.right)
}

export const nextFrame = async (peer: RawPeer): Promise<Frame> => {
  const frame = decodeFrame([(await peer.next()).data])
  if (E.isLeft(frame)) throw new Error(frame.left.reason)
  return frame.right
}
