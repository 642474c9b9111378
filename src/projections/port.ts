import type * as E from 'fp-ts/lib/Either.js'
import type { PackIndex } from '../blobstore/port.ts'
import type { Revision } from '../domain/change.ts'
import type { Chunk, Hash, Kind } from '../domain/content.ts'
import type { Version } from '../domain/decide/view.ts'
import type { AccountId, AgentKey, FileId, FolderId, HeadOfStream, TreeEntry } from '../domain/events.ts'
import type { SyncPath } from '../domain/path.ts'
import type { LogPosition, RecordedEvent } from '../eventlog/port.ts'
import type { EventMetadata } from '../protocol/event-codec.ts'
import type { LogEvent } from '../protocol/log-event.ts'
import type { Outcome } from '../protocol/messages.ts'
import type { HistoryReads } from './history/port.ts'

/** An event that this version can't understand: nothing after it is folded in. */
export interface Stopped {
  readonly tag: 'Stopped'
  readonly reason: string
}

/** An event understood, and who made it. */
export interface DecodedEvent {
  readonly event: LogEvent
  readonly metadata: EventMetadata
}

/** Understands events, each once: projections of one process share it. */
export interface LogDecoder {
  readonly decode: (event: Omit<RecordedEvent, 'position'>) => E.Either<Stopped, DecodedEvent>
  /** Spares reading an event back that was just made; its chain names it. */
  readonly know: (chain: string, decoded: DecodedEvent) => void
}

/**
 * What the gateway decides and answers by: every folder's tree at its head, who there is, which messages count already, and where
 * each stream ends. A fold over the log like all projections (I7), but kept in step with it. Its questions are synchronous, and see every
 * event that was applied.
 */
export interface StateProjection {
  readonly decoder: LogDecoder
  readonly head: (stream: string) => HeadOfStream | undefined
  /** Streams that grew since a Checkpoint told of them, at most `max`. */
  readonly unsignedHeads: (max: number) => readonly HeadOfStream[]
  readonly tree: (folder: FolderId) => FolderTree
  readonly directory: Directory
  readonly messages: Messages
  /** Asks many things at once, over one state, which costs less than asking each by itself. `ask` must not be asynchronous. */
  together<A>(ask: () => A): A
  /** Folds events of one stream in, in one transaction; those that are in already change nothing. */
  apply(stream: string, events: readonly RecordedEvent[]): E.Either<Stopped, void>
}

/** The state as whoever opens it sees it: to be brought, and kept, in step with its log. */
export interface StateFold extends StateProjection {
  /** Up to where the whole log is folded in. */
  readonly checkpoint: () => LogPosition | 'start'
  /** Folds the next events of the whole log in, and moves the checkpoint, in one transaction. */
  applyNext(events: readonly RecordedEvent[]): E.Either<Stopped, void>
  /**
   * For a log that calls it inside its append's own transaction, on the same database: so the state is never behind. Throws at
   * what it can't fold, so that nothing is appended.
   */
  readonly appended: (stream: string, events: readonly RecordedEvent[]) => void
}

/** The tree of one folder at its head. */
export interface FolderTree {
  get(path: SyncPath): TreeEntry | undefined
  live(fileId: FileId): TreeEntry | undefined
  hasLiveUnder(path: SyncPath, gone?: (path: SyncPath) => boolean): boolean
  /** The entries that still stand as the event at `revision` made them. */
  at(revision: Revision): readonly TreeEntry[]
  /** Entries after a position, tombstones included, by revision; at most `max`. */
  since(position: Revision, max: number): readonly TreeEntry[]
}

export interface Account {
  readonly account: AccountId
  readonly email: string
  readonly verifier: string
}

export interface Agent {
  readonly key: AgentKey
  readonly account: AccountId
  readonly name: string
  /** null: a client that proves itself by the password alone. */
  readonly publicKey: string | null
  /** The gateway's clock, in milliseconds. */
  readonly registered: number
  readonly revoked: boolean
}

export interface Folder {
  readonly folder: FolderId
  readonly account: AccountId
  readonly name: string
}

/** Who there is, and whose each folder is. */
export interface Directory {
  account(id: AccountId): Account | undefined
  agent(key: AgentKey): Agent | undefined
  agentsOf(account: AccountId): readonly Agent[]
  folder(id: FolderId): Folder | undefined
  foldersOf(account: AccountId): readonly Folder[]
}

/** Whose messages count together. */
export interface Sender {
  readonly agent: AgentKey
  readonly folder: FolderId
  readonly epoch: string
}

/** A message that was appended, and its answer. */
export interface AppendedMessage {
  readonly root: Hash
  /** Of its last event. */
  readonly position: number
  readonly outcomes: readonly Outcome[]
}

export type KnownMessage =
  /** Not appended, and none after it. */
  | { readonly tag: 'new' }
  | { readonly tag: 'appended'; readonly message: AppendedMessage }
  /** Older than what is remembered, or passed over. */
  | { readonly tag: 'spent' }

/** Which messages count already (I5). */
export interface Messages {
  find(sender: Sender, number: number): KnownMessage
}

/** What a path may have held. */
export interface Held {
  readonly kind: Kind
  readonly hash: Hash
}

/** The questions that the projections answer which follow the log. */
export interface FollowReads extends PackIndex {
  /** The size of a chunk that a version in the folder names; undefined where none does. */
  chunkSize(folder: FolderId, hash: Hash): number | undefined
  /** The version that the event at `revision` made. */
  versionAt(folder: FolderId, revision: Revision): Version | undefined
  /** Whether the path has held it at `since` or later (-1: ever). */
  held(folder: FolderId, path: SyncPath, since: Revision, content: Held): boolean
}

/** The chunks that a manifest object names; undefined where the object can't be read: they are asked for again then. */
export type ManifestChunks = (hash: Hash) => readonly Chunk[] | undefined

/** The following projections as the gateway uses them: never behind what it appended. */
export interface Followed extends FollowReads {
  /** The history index, as far as it is: it may be a moment behind what was appended. */
  readonly history: HistoryReads
  /** Whether retention ever let anything go, and when it let a chunk go that was not stored again since (milliseconds): as far as the tables are. */
  anyRetired(): boolean
  goneSince(hash: Hash): number | undefined
  /** Tells of events right after their append, in the order of their stream; events told of already change nothing. */
  note(events: readonly RecordedEvent[], manifests: ManifestChunks): void
  /** Resolves when there is room for what the next append tells; the writer waits for it (I16). */
  room(): Promise<void>
}
