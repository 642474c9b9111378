import type { Revision } from '../../domain/change.ts'
import type { FolderId } from '../../domain/events.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { EventReader } from '../../eventlog/port.ts'
import type { FileSystem } from '../../filesystem/port.ts'
import type { HistoryReads } from '../../projections/history/port.ts'
import type { Contents } from '../contents.ts'

/** Where a restored folder comes from, and where it goes. */
export interface Restore {
  readonly log: Pick<EventReader, 'read'>
  readonly history: HistoryReads
  readonly contents: Contents
  readonly folder: FolderId
  /** The moment. */
  readonly at: Revision
  /** This path, and what is under it; undefined: all. */
  readonly under: SyncPath | undefined
  /** Rooted where it goes. */
  readonly fs: FileSystem
  /** Says what would be done, and does nothing. */
  readonly dryRun: boolean
}

/** What was done to a path, or would be; or why it was not. */
export type Restored =
  | { readonly tag: 'made' | 'replaced'; readonly path: SyncPath; readonly version: Revision; readonly bytes: number }
  | { readonly tag: 'removed'; readonly path: SyncPath }
  /** `reason` goes on "PATH: …". */
  | { readonly tag: 'left'; readonly path: SyncPath; readonly reason: string }

export const isUnder = (path: SyncPath, under: SyncPath | undefined): boolean =>
  under === undefined || path === under || path.startsWith(`${under}/`)
