import type { IncomingMessage } from 'node:http'
import { isLoopback } from './address.ts'
import { SUBPROTOCOL } from './socket.ts'

export interface ConnectionLimits {
  readonly maxConnections: number
  /** Of these, so many that have not shown who they are: what strangers can hold of memory (I16). One more ends the oldest. */
  readonly maxUnsigned: number
  /** The same, of one address; all of this machine's users share the loopback address, which may have half of the whole. */
  readonly maxUnsignedPerAddress: number
}

export const CONNECTION_LIMITS: ConnectionLimits = { maxConnections: 4096, maxUnsigned: 256, maxUnsignedPerAddress: 32 }

interface Refusal {
  readonly status: '400 Bad Request' | '403 Forbidden' | '404 Not Found' | '503 Service Unavailable'
  readonly reason: string
}

/** Why a WebSocket is not taken; undefined: it is. */
export const admission = (request: IncomingMessage, open: number, limits: ConnectionLimits): Refusal | undefined => {
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
  if (open >= limits.maxConnections) return { status: '503 Service Unavailable', reason: 'There are too many connections.' }
  return undefined
}

/** Who makes way for one more stranger from this address, so that idle strangers never shut anybody out; undefined: there is room. */
export const toMakeWay = <C extends { readonly peer: { readonly address: string } }>(
  address: string,
  strangers: readonly C[],
  { maxUnsigned, maxUnsignedPerAddress }: ConnectionLimits,
): C | undefined => {
  const share = isLoopback(address) ? Math.max(maxUnsignedPerAddress, maxUnsigned / 2) : maxUnsignedPerAddress
  const ofAddress = strangers.filter(({ peer }) => peer.address === address)
  if (ofAddress.length >= share) return ofAddress[0]
  return strangers.length >= maxUnsigned ? strangers[0] : undefined
}

const hostOf = (origin: string): string | undefined => (URL.canParse(origin) ? new URL(origin).host : undefined)
