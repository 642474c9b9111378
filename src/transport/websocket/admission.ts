import type { IncomingMessage } from 'node:http'
import { SUBPROTOCOL } from './socket.ts'

export interface ConnectionLimits {
  readonly maxConnections: number
  /** Of these, so many that have not signed in: what strangers can hold of memory (I16). */
  readonly maxUnsigned: number
}

export const CONNECTION_LIMITS: ConnectionLimits = { maxConnections: 4096, maxUnsigned: 256 }

interface Refusal {
  readonly status: '400 Bad Request' | '403 Forbidden' | '404 Not Found' | '503 Service Unavailable'
  readonly reason: string
}

/** Why a WebSocket is not taken; undefined: it is. */
export const admission = (
  request: IncomingMessage,
  counts: { readonly open: number; readonly unsigned: number },
  limits: ConnectionLimits,
): Refusal | undefined => {
  const { origin, host, 'sec-websocket-protocol': offered } = request.headers
  const path = (request.url ?? '').replace(/\?.*$/s, '')
  if (path !== '/' && path !== '/ws') return { status: '404 Not Found', reason: 'WebSockets are taken on /ws.' }
  // A page of somebody else's, open in a browser on this machine, must not reach a gateway that trusts the loopback address.
  if (origin !== undefined && hostOf(origin) !== host)
    return { status: '403 Forbidden', reason: 'A page of another origin may not connect.' }
  const protocols = (offered ?? '').split(',').map((name) => name.trim())
  if (protocols.some((name) => name.startsWith('eventsync.')) && !protocols.includes(SUBPROTOCOL)) {
    return { status: '400 Bad Request', reason: `This gateway speaks ${SUBPROTOCOL}.` }
  }
  if (counts.open >= limits.maxConnections) return { status: '503 Service Unavailable', reason: 'There are too many connections.' }
  if (counts.unsigned >= limits.maxUnsigned)
    return { status: '503 Service Unavailable', reason: 'Too many connections have not signed in.' }
  return undefined
}

const hostOf = (origin: string): string | undefined => (URL.canParse(origin) ? new URL(origin).host : undefined)
