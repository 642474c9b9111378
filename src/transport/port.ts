import type * as TE from 'fp-ts/lib/TaskEither.js'
import type { AgentKey } from '../domain/events.ts'
import type { Json } from '../protocol/json.ts'

/** A message and the raw bytes that travel with it (chunks, one after the other, in the order that the message names them). */
export interface Envelope {
  readonly message: { readonly [field: string]: Json }
  readonly payload: Uint8Array
}

export const NO_BYTES = new Uint8Array(0)

/** Most bytes of one envelope: one chunk of 4 MiB, or a batch of small ones, and a head of at most 1 MiB. */
export const MAX_PAYLOAD = 4 * 1024 * 1024
export const MAX_HEAD = 1024 * 1024

export type TransportError =
  /** Not connected, the connection was lost before the answer, or no answer came in time: it may or may not have been handled. */
  | { readonly tag: 'Unreachable'; readonly reason: string }
  /** The gateway refused this device's sign-in (wrong key, revoked): trying again without a change is of no use. */
  | { readonly tag: 'SignInRefused'; readonly reason: string }
  | { readonly tag: 'TooLarge'; readonly reason: string }

/** A folder's log has grown. `page`: what leads whoever is just before it there (protocol/page.ts); left out where the reader is slow. */
export interface FolderAt {
  readonly folder: string
  readonly position: number
  readonly page?: Envelope
}

/** Something the gateway says without being asked. */
export type Notification =
  | ({ readonly tag: 'FolderAt' } & FolderAt)
  /** (Re)connected and signed in: what was missed meanwhile must be asked for. */
  | { readonly tag: 'Connected' }
  | { readonly tag: 'Disconnected'; readonly reason: string; readonly refused: boolean }

/**
 * An agent's side. At least once: a request whose answer was lost may have been handled. Requests may be answered out of order;
 * any number may be outstanding, `request` waits where the connection is full (backpressure). Reconnects by itself, with growing, jittered pauses,
 * until disposed.
 */
export interface ClientTransport extends AsyncDisposable {
  request(envelope: Envelope, signal?: AbortSignal): TE.TaskEither<TransportError, Envelope>
  /** Calls the listener, in order, with each notification, the present connection state first; returns how to stop. */
  notifications(listener: (notification: Notification) => void): () => void
}

/** Who sent a request, as far as the transport knows. */
export interface Peer {
  readonly id: string
  /** The address that sign-in attempts are counted by. */
  readonly address: string
  /** What a SignIn on this connection must sign; fresh for every connection. */
  readonly nonce: string
  /** Set by the gateway's handler when a SignIn succeeded. */
  agent: AgentKey | undefined
  /** Set by the gateway's handler when a message's password was right: it is no stranger, though it never signs in. */
  proved?: boolean
  /** A client that speaks PySync's JSON alone: no EventSync framing on this connection. */
  readonly plain: boolean
}

/** Answers one request; must not throw. */
export type Handler = (envelope: Envelope, peer: Peer, signal: AbortSignal) => Promise<Envelope>

/**
 * The gateway's side. Requests of one connection are started in the order of their arrival and may overlap; at most `maxInFlight`
 * of a connection, the rest waits on the wire. `stop` drains: takes no new request, answers those begun, then closes.
 */
export interface ServerTransport extends AsyncDisposable {
  serve(handler: Handler): void
  /** Best effort, to every connection that is signed in as one of the agents; slow readers get no page, and are dropped in the end, never buffered for ever. */
  notify(agents: readonly AgentKey[], told: FolderAt): void
  /** Closes every connection of an agent at once. */
  disconnect(agent: AgentKey, reason: string): void
}
