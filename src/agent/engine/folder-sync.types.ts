import type { DatabaseSync } from 'node:sqlite'
import type { AgentKey, FolderId } from '../../domain/events.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Signer } from '../../protocol/signing.ts'
import type { ClientTransport } from '../../transport/port.ts'
import type { Disk } from '../disk/port.ts'
import type { Watch } from '../watch/port.ts'

export interface Problem {
  readonly path: string
  readonly reason: string
}

/** What `eventsync status --json` prints for a folder (DESIGN.md, section 11). */
export interface FolderStatus {
  readonly folder: string
  readonly inSync: boolean
  readonly connected: boolean
  readonly position: number
  /** The folder's last revision, as far as the agent has heard; -1 while it has not. */
  readonly head: number
  /** Changes of this device that the gateway has not acknowledged yet. */
  readonly pending: number
  /** Changes of others that are not on this disk yet. */
  readonly incoming: number
  readonly conflicts: readonly string[]
  /** Deletions that wait for a person (I15). */
  readonly held: readonly string[]
  readonly problems: readonly Problem[]
  readonly lastError: string | null
}

/** What happens in a folder, for people and logs: one line each. */
export type FolderReport =
  | { readonly tag: 'sent'; readonly action: 'create' | 'update' | 'move' | 'delete'; readonly path: string; readonly from?: string }
  | { readonly tag: 'received'; readonly action: 'create' | 'update' | 'move' | 'delete'; readonly path: string; readonly from?: string }
  | { readonly tag: 'conflict'; readonly path: string; readonly copy: string }
  | { readonly tag: 'held'; readonly count: number; readonly reason: string }
  | { readonly tag: 'problem'; readonly path: string; readonly reason: string }
  | { readonly tag: 'connected' }
  | { readonly tag: 'disconnected'; readonly reason: string }
  | { readonly tag: 'inSync'; readonly position: number }
  | { readonly tag: 'note'; readonly text: string }
  /** Progress of a first or large sync: what is done and what is left, both ways. */
  | {
      readonly tag: 'progress'
      readonly filesDone: number
      readonly filesTotal: number
      readonly bytesDone: number
      readonly bytesTotal: number
    }

export interface FolderSyncSettings {
  /** Seconds between full scans that find what hints missed. */
  readonly scanEverySeconds: number
  /** Most bytes of one file. */
  readonly maxFileSize: number
}

export interface FolderSyncDeps {
  readonly disk: Disk
  readonly watch: Watch
  readonly transport: ClientTransport
  /** The folder's index, outbox and settings: a database of its own, outside the folder. */
  readonly database: DatabaseSync
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  readonly signer: Signer
  readonly agentName: string
  readonly agentKey: AgentKey
  readonly folder: FolderId
  /** Base64 of the gateway's public key, pinned at `register`. */
  readonly gatewayKey: string
  readonly settings: FolderSyncSettings
  /**
   * Names this run of the machine. Where it is another than at the last start, or not known, the power may have been cut since, and what the disk had not
   * made durable may be gone (I17).
   */
  readonly boot?: string
  readonly report: (event: FolderReport) => void
}

/** How a folder has stopped by itself: a person must act. */
export type FolderFatal =
  | { readonly tag: 'Refused'; readonly reason: string }
  /** The log was rewritten or cut behind what this agent has seen (I10). */
  | { readonly tag: 'LogRewritten'; readonly reason: string }
  | { readonly tag: 'Root'; readonly reason: string }
  /** The index can't be written or read: its disk is full, or it is damaged. */
  | { readonly tag: 'Index'; readonly reason: string }

/** One folder being kept in sync, until stopped. */
export interface FolderSync {
  status(): FolderStatus
  /** Looks at the whole folder, asks the gateway where the log is, and resolves when everything found is settled both ways, or the signal aborts. */
  settle(signal?: AbortSignal): Promise<FolderStatus>
  /** Lets held deletions go out: all, or those at or under the given paths; returns how many. */
  approveDeletions(paths?: readonly string[]): number
  /** Resolves if the folder stops by itself. */
  readonly failed: Promise<FolderFatal>
  /** Drains what is in flight, closes the watch; the database and the disk are the caller's. */
  stop(): Promise<void>
}
