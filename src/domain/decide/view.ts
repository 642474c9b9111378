import type { Revision } from '../change.ts'
import type { Content, Hash, Kind } from '../content.ts'
import type { FileId, TreeEntry } from '../events.ts'
import type { SyncPath } from '../path.ts'

/** What the log once held at a path: enough to see whether an edit was made on the same bytes. */
export interface Version {
  readonly path: SyncPath
  readonly fileId: FileId
  readonly kind: Kind
  readonly hash: Hash
}

/** The tree at the head of a folder's log, as far as a decision asks for it, and its history, which only stale changes ask for. */
export interface TreeView {
  /** The revision that the next event gets. */
  readonly next: Revision
  /** The path's last entry, a tombstone included. */
  readonly get: (path: SyncPath) => TreeEntry | undefined
  /** Where a file lives now. */
  readonly live: (fileId: FileId) => TreeEntry | undefined
  /** Whether anything lives under a path, beside those that `gone` names. */
  readonly hasLiveUnder: (path: SyncPath, gone?: (path: SyncPath) => boolean) => boolean
  /** The version that the event at a revision made, if it made one. */
  readonly versionAt: (revision: Revision) => Version | undefined
  /** Whether the path has held these bytes at `since` or later ('none': ever). */
  readonly held: (path: SyncPath, since: Revision | 'none', content: Content) => boolean
  readonly newFileId: (revision: Revision) => FileId
}

export interface LiveEntry extends TreeEntry {
  readonly content: Content
}

export const isLive = (entry: TreeEntry | undefined): entry is LiveEntry => entry?.content !== undefined
