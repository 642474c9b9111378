import type { Revision } from './change.ts'
import type { Content, Hash } from './content.ts'
import type { SyncPath } from './path.ts'

/** 32 upper-case hex digits. `Agent.Key` is the first 128 bits of SHA-256 of the agent's Ed25519 public key. */
export type AgentKey = string & { readonly AgentKey: unique symbol }
/** 32 lower-case hex digits each. */
export type AccountId = string & { readonly AccountId: unique symbol }
export type FolderId = string & { readonly FolderId: unique symbol }
export type FileId = string & { readonly FileId: unique symbol }

/** A file event of a folder's stream, as the tree folds it. `base` is what the change was made on, after the gateway resolved it. */
export type FileEvent =
  | { readonly type: 'FileCreated'; readonly path: SyncPath; readonly fileId: FileId; readonly content: Content }
  | { readonly type: 'FileUpdated'; readonly path: SyncPath; readonly fileId: FileId; readonly content: Content; readonly base: Revision }
  | {
      readonly type: 'FileMoved'
      readonly from: SyncPath
      readonly path: SyncPath
      readonly fileId: FileId
      readonly content: Content
      readonly base: Revision
    }
  | { readonly type: 'FileDeleted'; readonly path: SyncPath; readonly fileId: FileId; readonly base: Revision }

export type FolderEvent =
  | FileEvent
  | { readonly type: 'FolderCreated'; readonly account: AccountId; readonly name: string }
  | { readonly type: 'DeletionHeld'; readonly count: number; readonly reason: string }
  | { readonly type: 'DeletionApproved'; readonly count: number }

/**
 * Sign-ins and enrolments that were refused since the last such event, counted. In the account's stream, or, where no account here was meant
 * (`account` null), in the gateways' own.
 */
export interface SignInsRefused<A extends AccountId | null> {
  readonly type: 'SignInsRefused'
  readonly account: A
  readonly count: number
  /** The gateway's clock at the first and at the last of them, in milliseconds. */
  readonly first: number
  readonly last: number
  /** How many for what reason: the codes of their answers. */
  readonly reasons: Readonly<Record<string, number>>
  /** Network addresses that they came from; not all of many. */
  readonly addresses: readonly string[]
  /** As whom they came, not all of many: keys of agents and, where there is no such account, the ids that it would have. */
  readonly tried: readonly string[]
}

export type AccountEvent =
  | { readonly type: 'AccountRegistered'; readonly account: AccountId; readonly email: string; readonly verifier: string }
  | {
      readonly type: 'AgentRegistered'
      readonly account: AccountId
      readonly agent: AgentKey
      readonly name: string
      readonly publicKey: string | null
      readonly vouchedBy: AgentKey | 'operator'
      readonly countersignature: string | null
    }
  | { readonly type: 'AgentRenamed'; readonly agent: AgentKey; readonly name: string }
  | { readonly type: 'AgentRevoked'; readonly agent: AgentKey; readonly reason: string }
  | SignInsRefused<AccountId>

/** A witness (stream `agent-<key>`): the agent's signed word that it has seen this position and chain of a folder. */
export type AgentEvent = {
  readonly type: 'AgentSynced'
  readonly agent: AgentKey
  readonly folder: FolderId
  readonly position: number
  readonly chain: string
  readonly signature: string
}

/** Where the chunks of one stored pack lie. */
export type PackEvent = { readonly type: 'PackStored'; readonly pack: string; readonly entries: readonly PackEntry[] }
export interface PackEntry {
  readonly hash: Hash
  readonly offset: number
  readonly size: number
}

/**
 * Freeing contents that no kept version needs (DESIGN.md, section 7). From a PackRetiring on its chunks count as missing, and the name of the object is
 * never used again: a gateway that was slow to see it can't have its upload removed. `pack` null: the objects of the chunks' own.
 */
export type RetentionEvent =
  | { readonly type: 'PackRetiring'; readonly run: string; readonly pack: string | null; readonly chunks: readonly Hash[] }
  /** The object is gone; `bytes` is what that freed. */
  | {
      readonly type: 'PackRemoved'
      readonly run: string
      readonly pack: string | null
      readonly chunks: readonly Hash[]
      readonly bytes: number
    }

/** The last event of a stream, as a Checkpoint tells of it. */
export interface HeadOfStream {
  readonly stream: string
  readonly revision: number
  readonly chain: string
}

/** The heads of all streams that grew since the last one, signed by the gateway. */
export type Checkpoint = {
  readonly type: 'Checkpoint'
  readonly heads: readonly HeadOfStream[]
  readonly gatewayKey: string
  readonly signature: string
}

/** A run of retention, by what rule, and what came of it. `folder` null: all of them. */
export type RetentionRunEvent =
  | {
      readonly type: 'RetentionStarted'
      readonly run: string
      /** Versions that were replaced or deleted longer ago than this may go. */
      readonly keepSeconds: number
      /** So many newest versions of each file stay whatever their age. */
      readonly keepVersions: number
      readonly folder: FolderId | null
    }
  | { readonly type: 'RetentionEnded'; readonly run: string; readonly objects: number; readonly bytes: number }

/** Which gateways work on a log that they share: what is retired is removed when each has passed it. `gateway` is its data directory's id, `boot` names one start of it. */
export type PresenceEvent =
  | { readonly type: 'GatewayStarted'; readonly gateway: string; readonly boot: string }
  /** It counts all chunks as missing that were retired up to this revision of the stream of packs, and nothing that it decided before is under way. */
  | { readonly type: 'GatewayPassed'; readonly gateway: string; readonly boot: string; readonly packs: number }
  | { readonly type: 'GatewayStopped'; readonly gateway: string; readonly boot: string }

/** Events of the gateways' own stream. */
export type GatewayEvent = Checkpoint | RetentionRunEvent | PresenceEvent | SignInsRefused<null>

/** What one live or deleted path of a folder's tree holds; `revision` names its version. */
export interface TreeEntry {
  readonly path: SyncPath
  readonly revision: Revision
  readonly fileId: FileId
  /** undefined: deleted at `revision`; where it was moved away, `movedTo` is its path then. */
  readonly content: Content | undefined
  readonly movedTo?: SyncPath
}
