import type { Socket as Wire } from 'node:net'
import { WebSocket, WebSocketServer, type RawData } from 'ws'
import type { Clock } from '../../lib/clock.ts'
import { MAX_FRAME } from '../session/framing.ts'

/** The one place that knows the `ws` package: what the adapter needs of it, and how all its sockets are set up. */
export { WebSocketServer, type RawData }

/** The peer is told in words why it is cut off where `ws` gives only a number. */
const REASONS: Readonly<Record<number, string>> = {
  1002: 'This is not a well-formed WebSocket frame.',
  1007: 'The text is not UTF-8.',
  1008: 'The message came in too many parts.',
  1009: `The message is larger than ${MAX_FRAME} bytes.`,
}

export class Socket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    super.close(code, reason ?? (code === undefined ? undefined : REASONS[code]))
  }
}

/** A WebSocket, and the TCP or TLS socket below it. */
export interface Sockets {
  readonly socket: Socket
  readonly wire: Wire
  readonly clock: Clock
}

/** A message's size is judged by its header, before any of it is kept (I16); compression would cost more than it saves. */
export const SOCKET_OPTIONS = {
  perMessageDeflate: false,
  maxPayload: MAX_FRAME + 1024,
  maxFragments: 4096,
  maxBufferedChunks: 32 * 1024,
} as const

/** The subprotocol of EventSync's own framing; a peer without one speaks PySync's JSON. */
export const SUBPROTOCOL = 'eventsync.1'
