import type { Clock } from '../../lib/clock.ts'
import type { Peer } from '../port.ts'

/** So many random bytes; passed in, so that a simulation owns them. */
export type RandomBytes = (size: number) => Uint8Array

/** What bounds a server's memory (I16), and how long it waits. */
export interface ServerLimits {
  /** Requests of one connection that may be in progress, and the bytes of payload they may hold together (one may always run). */
  readonly maxInFlight: number
  readonly maxInFlightBytes: number
  /** What the answers of one connection may hold together: those that have not left, and as much as those under way may grow to. */
  readonly maxAnswerBytes: number
  /** Connections that are signed in as one agent: one more ends the oldest. */
  readonly maxPerAgent: number
  /** How long a connection has to prove who it is; how long one may do nothing that proved it by a password, since it never signs in. */
  readonly signInMs: number
  readonly plainIdleMs: number
  /** How long `stop` waits for the answers that were begun. */
  readonly drainMs: number
}

export const SERVER_LIMITS: ServerLimits = {
  maxInFlight: 16,
  maxInFlightBytes: 16 * 1024 * 1024,
  maxAnswerBytes: 16 * 1024 * 1024,
  maxPerAgent: 8,
  signInMs: 30_000,
  plainIdleMs: 300_000,
  drainMs: 10_000,
}

/** What a server tells about its connections, for logs and metrics. */
export type ServerEvent =
  | { readonly tag: 'Opened'; readonly peer: Peer }
  | { readonly tag: 'Closed'; readonly peer: Peer; readonly reason: string }
  /** Not let in. */
  | { readonly tag: 'Rejected'; readonly address: string; readonly reason: string }
  /** It sent something that is not of the expected form. */
  | { readonly tag: 'Broken'; readonly peer: Peer; readonly reason: string }
  /** A fault of our own: the handler threw, or its answer was too large. */
  | { readonly tag: 'Fault'; readonly peer: Peer; readonly error: unknown }

export interface SessionServerOptions {
  readonly clock: Clock
  readonly random: RandomBytes
  readonly limits?: Partial<ServerLimits>
  readonly log?: (event: ServerEvent) => void
}
