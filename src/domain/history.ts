import type { Revision } from './change.ts'
import type { Described } from './content.ts'
import type { AccountId, AgentKey, FileId, FolderEvent } from './events.ts'
import type { SyncPath } from './path.ts'

/** How the sender of a change was known: by its signature, by a password alone, or the gateway acted by itself. */
export type Proof = 'signed' | 'password' | 'gateway'

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

export interface Between {
  readonly from: Revision
  readonly to: Revision
}

/** A version of which retention has let the content go, and when: milliseconds, by the gateway's clock. */
export interface Released {
  readonly version: Revision
  readonly time: number
}

/** One question about a folder's history, as it goes through a gateway. */
export type HistoryQuery =
  | { readonly ask: 'head' }
  | { readonly ask: 'revisionAt'; readonly time: number }
  | { readonly ask: 'events'; readonly query: EventQuery }
  | { readonly ask: 'touched'; readonly path: SyncPath; readonly at: Revision }
  | { readonly ask: 'tree'; readonly at: Revision; readonly after: SyncPath | undefined; readonly max: number }
  | { readonly ask: 'changes'; readonly between: Between; readonly after: SyncPath | undefined; readonly max: number }
  /** Where the folder's log stands now, by the gateway's signed word. */
  | { readonly ask: 'checkpoint' }
  /** Which of these versions have lost their content to retention. */
  | { readonly ask: 'released'; readonly versions: readonly Revision[] }

/** And its answer. */
export type HistoryResult =
  | { readonly ask: 'head' | 'revisionAt'; readonly revision: Revision }
  | { readonly ask: 'events'; readonly page: EventPage }
  | { readonly ask: 'touched'; readonly event: HistoryEvent | undefined }
  | { readonly ask: 'tree'; readonly page: TreePage }
  | { readonly ask: 'changes'; readonly page: ChangePage }
  /** As it is printed and kept. */
  | { readonly ask: 'checkpoint'; readonly text: string }
  | { readonly ask: 'released'; readonly released: readonly Released[] }
