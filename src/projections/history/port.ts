import type * as TE from 'fp-ts/lib/TaskEither.js'
import type { Revision } from '../../domain/change.ts'
import type { AccountId, AgentKey, FolderId } from '../../domain/events.ts'
import type { Between, ChangePage, EventPage, EventQuery, HistoryEvent, TreePage } from '../../domain/history.ts'
import type { SyncPath } from '../../domain/path.ts'

export type {
  Between,
  ChangePage,
  EventFilter,
  EventPage,
  EventQuery,
  HistoryEntry,
  HistoryEvent,
  PathChange,
  TreePage,
} from '../../domain/history.ts'

export type HistoryError =
  | { readonly tag: 'Unavailable'; readonly reason: string }
  /** Asked through a gateway that did not answer. */
  | { readonly tag: 'Unreachable'; readonly reason: string }
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
