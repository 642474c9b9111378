import type { BlobStore } from '../blobstore/port.ts'
import type { Chunk } from '../domain/content.ts'
import type { AccountId, AgentKey } from '../domain/events.ts'
import type { EventLog } from '../eventlog/port.ts'
import type { Clock } from '../lib/clock.ts'
import type { Followed, StateFold, StateProjection } from '../projections/port.ts'
import type { Signer } from '../protocol/signing.ts'
import type { Passwords } from './passwords.ts'
import type { FolderAt } from '../transport/port.ts'
import type { UploadStore } from './uploads.ts'

export interface GatewaySettings {
  /** Whether anybody may make an account. */
  readonly registration: 'open' | 'closed'
  /** Whether clients that prove themselves by a password alone may change anything. */
  readonly passwordClients: 'allow' | 'refuse'
  readonly limits: GatewayLimits
}

export interface GatewayLimits {
  /** Password attempts of one account or one address: so many at once, then so many a minute. */
  readonly attempts: { readonly burst: number; readonly perMinute: number }
  /** Messages of one folder that may wait for its writer; more are told to come back. */
  readonly queue: number
  /** The largest content that a plain client may open: it is answered in one piece. */
  readonly plainOpenBytes: number
}

export const DEFAULT_SETTINGS: GatewaySettings = {
  registration: 'open',
  passwordClients: 'refuse',
  limits: { attempts: { burst: 10, perMinute: 6 }, queue: 1024, plainOpenBytes: 64 * 1024 * 1024 },
}

/** What the gateway counts; `metrics.ts` turns it into Prometheus' form. */
export interface GatewayMetrics {
  request(action: string, status: number, seconds: number): void
  commit(messages: number, events: number, seconds: number): void
  stored(chunks: number, bytes: number): void
}

export const NO_METRICS: GatewayMetrics = { request: () => undefined, commit: () => undefined, stored: () => undefined }

/** Where the gateway says what it does; never a secret in it. */
export interface GatewayLogger {
  info(message: string, fields?: object): void
  warn(message: string, fields?: object): void
  error(message: string, fields?: object): void
}

export const SILENT: GatewayLogger = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** Whom the gateway tells without being asked; the transports, once they serve. */
export interface Notifier {
  notify(agents: readonly AgentKey[], told: FolderAt): void
  disconnect(agent: AgentKey, reason: string): void
  /** Tells the other gateways what an account has uploaded here; resolves when they can hear of it, or will not. Never rejects. */
  uploaded?(account: AccountId, chunks: readonly Chunk[]): Promise<void>
}

/**
 * Everything that the gateway stands on. It takes time, chance and other threads from here alone, so that a simulation owns them.
 */
export interface GatewayDeps {
  readonly log: EventLog
  readonly blobs: BlobStore
  readonly state: StateProjection
  /** The state again where other gateways append to the log too: it is kept in step with them (`tail.ts`). */
  readonly shared?: StateFold
  readonly followed: Followed
  readonly uploads: UploadStore
  /** Which gateway this is among those that share a log: the same as long as its data directory. */
  readonly instance: string
  readonly clock: Clock
  readonly random: (bytes: number) => Buffer
  readonly signer: Signer
  /** Ed25519 over the text's UTF-8; on the thread pool in production. */
  readonly verify: (publicKey: string, text: string, signature: string) => Promise<boolean>
  readonly passwords: Passwords
  /** Lets other work that is ready run first, so that a group commit gathers what has arrived: `setImmediate` in production. */
  readonly turn: () => Promise<void>
  readonly settings: GatewaySettings
  readonly metrics: GatewayMetrics
  readonly logger: GatewayLogger
}
