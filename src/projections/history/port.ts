import type { taskEither as TE } from 'fp-ts'
import type { Revision } from '../../domain/change.ts'
import type { Described } from '../../domain/content.ts'
import type { AccountId, AgentKey, FileId, FolderEvent, FolderId } from '../../domain/events.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { Proof } from '../../protocol/event-metadata.ts'

/** One event of a folder, as the history index keeps it: all but the evidence, and which chunks its content is made of. */
export interface HistoryEvent {
  readonly revision: Revision
  readonly type: FolderEvent['type']
  /** The gateway's clock, in milliseconds. */
  readonly time: number
  /** The sender's clock in seconds, as it said. */
  readonly clientTime: number | undefined
  readonly account: AccountId | undefined
  readonly agent: AgentKey | undefined
  readonly proof: Proof
  /** Of events that are about a path; of a move, where it went. */
  readonly path: SyncPath | undefined
  /** The path that a move left. */
  readonly from: SyncPath | undefined
  readonly fileId: FileId | undefined
  /** What the path holds from then on; undefined: nothing. */
  readonly content: Described | undefined
  /** The own fields of an event that is about no path, as JSON. */
  readonly detail: string | undefined
}

/** Which events are asked for. What is left out does not restrict; lists are never empty. */
export interface EventFilter {
  readonly where?:
    | { readonly tag: 'path'; readonly path: SyncPath }
    | { readonly tag: 'file'; readonly fileId: FileId }
    /** See `domain/glob.ts`. */
    | { readonly tag: 'glob'; readonly glob: string }
  readonly agents?: readonly AgentKey[]
  readonly accounts?: readonly AccountId[]
  readonly types?: readonly string[]
}

export interface EventQuery extends EventFilter {
  /** From this revision to that one, both included. */
  readonly from: Revision
  readonly to: Revision
  readonly max: number
}

/** `next`: from where to go on; undefined where there is nothing left. A page may be empty, and not the last. */
export interface EventPage {
  readonly events: readonly HistoryEvent[]
  readonly next: Revision | undefined
}

/** What a path holds at a revision: the event that made it so. */
export type HistoryEntry = HistoryEvent & { readonly path: SyncPath; readonly fileId: FileId; readonly content: Described }

/** In the order of the paths' UTF-8. `next`: the path after which to go on. */
export interface TreePage {
  readonly entries: readonly HistoryEntry[]
  readonly next: SyncPath | undefined
}

/** A path that does not hold at `to` what it held at `from`. */
export interface PathChange {
  readonly path: SyncPath
  readonly before: HistoryEntry | undefined
  readonly after: HistoryEntry | undefined
  /** Where the file that is new here was before, and where the one that is gone is now. */
  readonly cameFrom: SyncPath | undefined
  readonly wentTo: SyncPath | undefined
}

export interface ChangePage {
  readonly changes: readonly PathChange[]
  readonly next: SyncPath | undefined
}

export type HistoryError =
  | { readonly tag: 'Unavailable'; readonly reason: string }
  /** Asked of a gateway that does not let this account see it. */
  | { readonly tag: 'Refused'; readonly reason: string }

/**
 * The questions that the history index answers about folders: a fold over the log (I7), which follows it and may be a moment behind; `head`
 * says how far it is. Every answer is one page of bounded size, made by looking at a bounded part of the index, so any number of
 * them may be under way. Answers about revisions up to `head` never change.
 */
export interface HistoryReads {
  /** The last revision of the folder that is in the index; -1 where there is none. */
  head(folder: FolderId): TE.TaskEither<HistoryError, Revision>
  /** The folder's last revision at a moment (milliseconds, by the gateway's clock; where that was set back, the later event counts as of its forerunner's time). -1: before the first. */
  revisionAt(folder: FolderId, time: number): TE.TaskEither<HistoryError, Revision>
  /** In the order of the log. */
  events(folder: FolderId, query: EventQuery): TE.TaskEither<HistoryError, EventPage>
  /** The last event up to a revision that touched a path: a move that left it, too. */
  touched(folder: FolderId, path: SyncPath, at: Revision): TE.TaskEither<HistoryError, HistoryEvent | undefined>
  /** What was there at a revision, after a path (undefined: from the first). */
  tree(folder: FolderId, at: Revision, after: SyncPath | undefined, max: number): TE.TaskEither<HistoryError, TreePage>
  /** What differs between two revisions, after a path. */
  changes(folder: FolderId, between: Between, after: SyncPath | undefined, max: number): TE.TaskEither<HistoryError, ChangePage>
}

export interface Between {
  readonly from: Revision
  readonly to: Revision
}

/** The names that the log has given; what was renamed has its latest. */
export interface Names {
  folders(): TE.TaskEither<HistoryError, readonly NamedFolder[]>
  agents(): TE.TaskEither<HistoryError, readonly NamedAgent[]>
  accounts(): TE.TaskEither<HistoryError, readonly NamedAccount[]>
}

export interface NamedFolder {
  readonly folder: FolderId
  readonly account: AccountId
  readonly name: string
}

export interface NamedAgent {
  readonly agent: AgentKey
  readonly account: AccountId
  readonly name: string
}

export interface NamedAccount {
  readonly account: AccountId
  readonly email: string
}
