import type { Change, Revision } from '../domain/change.ts'
import type { Chunk, Content, Hash } from '../domain/content.ts'
import type { AgentKey, FileId, FolderId } from '../domain/events.ts'
import type { HistoryQuery } from '../domain/history.ts'
import type { SyncPath } from '../domain/path.ts'

/**
 * The decoded messages. On the wire they have PySync's names (docs/protocol.md): `request.ts` and `answer.ts` hold the codecs,
 * whose lefts name the field that is wrong.
 */
export type Request =
  | { readonly tag: 'RegisterUser'; readonly email: string; readonly password: string }
  /** `publicKey` (base64 of 32 bytes) and `proof` (by the new key, over `registrationProofText`) are absent for PySync's clients, and only together. `countersignature`: by an enrolled agent (`vouchedBy`) over `countersignText`. */
  | {
      readonly tag: 'RegisterAgent'
      readonly key: AgentKey
      readonly email: string
      readonly password: string
      readonly name: string
      readonly publicKey: string | undefined
      readonly proof: string | undefined
      readonly vouchedBy: AgentKey | undefined
      readonly countersignature: string | undefined
    }
  | { readonly tag: 'SignIn'; readonly key: AgentKey; readonly nonce: string; readonly signature: string }
  | { readonly tag: 'Changes'; readonly key: AgentKey; readonly batch: SignedBatch }
  /** Which of these chunks must be sent before a change may name them. */
  | { readonly tag: 'Missing'; readonly key: AgentKey; readonly folder: FolderId; readonly chunks: readonly Hash[] }
  /** The payload is these chunks, one after the other. */
  | { readonly tag: 'Chunks'; readonly key: AgentKey; readonly folder: FolderId; readonly chunks: readonly Chunk[] }
  /** `position` -1: from nothing. `chain`: what the agent saw at `position`, '' at -1. */
  | { readonly tag: 'Sync'; readonly key: AgentKey; readonly folder: FolderId; readonly position: number; readonly chain: string }
  /**
   * Chunks of versions of a folder; a manifest object is asked for as the chunk that it is. At most 4 MiB are answered: the first so many.
   * `unchecked`: the asker checks each chunk's hash itself, and asks again without it for one that is wrong.
   */
  | {
      readonly tag: 'Open'
      readonly key: AgentKey
      readonly folder: FolderId
      readonly unchecked: boolean
      readonly files: readonly { readonly version: Revision; readonly chunks: readonly Hash[] }[]
    }
  /** A witness: the agent's signed word on what it has seen. At most one a minute is kept. */
  | {
      readonly tag: 'Synced'
      readonly key: AgentKey
      readonly folder: FolderId
      readonly position: number
      readonly chain: string
      readonly signature: string
    }
  /** Events of a stream from a revision on, as the log has them; `from` -1: the last one alone. */
  | { readonly tag: 'ReadLog'; readonly key: AgentKey; readonly stream: string; readonly from: number; readonly max: number }
  /** A question to the history index; the answer's payload is its result. */
  | { readonly tag: 'Audit'; readonly key: AgentKey; readonly folder: FolderId; readonly query: HistoryQuery }
  | { readonly tag: 'Agents'; readonly key: AgentKey }
  | { readonly tag: 'RenameAgent'; readonly key: AgentKey; readonly target: AgentKey; readonly name: string }
  | { readonly tag: 'RevokeAgent'; readonly key: AgentKey; readonly target: AgentKey; readonly reason: string }
  /** PySync's own form: one change, its sender proved by the password alone. `name` is the file's id or its path. */
  | { readonly tag: 'Plain'; readonly key: AgentKey; readonly email: string; readonly password: string; readonly action: PlainAction }
  /** The next bytes of a content that a plain peer was asked for: the payload. Only on plain connections. */
  | { readonly tag: 'Bytes' }

export type PlainAction =
  | { readonly tag: 'Create'; readonly path: SyncPath; readonly size: number }
  | { readonly tag: 'Update'; readonly name: string; readonly size: number }
  | { readonly tag: 'Delete'; readonly name: string }
  | { readonly tag: 'Open'; readonly name: string }
  /** `position` -1: from nothing, as PySync's clients ask. */
  | { readonly tag: 'Sync'; readonly position: number }

/** What a message may name as its `Action`. */
export const ACTIONS = [
  'RegisterUser',
  'RegisterAgent',
  'SignIn',
  'Changes',
  'Missing',
  'Chunks',
  'Sync',
  'Open',
  'Synced',
  'ReadLog',
  'Audit',
  'Agents',
  'RenameAgent',
  'RevokeAgent',
  'Bytes',
  'Create',
  'Update',
  'Delete',
] as const satisfies readonly (Exclude<Request['tag'], 'Plain'> | PlainAction['tag'])[]

/** What one signature covers (docs/protocol.md, "Evidence"); its canonical JSON is what is signed. */
export interface Head {
  readonly version: 1
  readonly folder: FolderId
  readonly agent: AgentKey
  /** 16 lower-case hex digits: 64 random bits, made with the agent's database. */
  readonly epoch: string
  readonly number: number
  readonly count: number
  /** Merkle root (RFC 6962) of the changes' canonical JSON. */
  readonly root: Hash
  /** The root of the agent's previous message in this folder, '' for the first of an epoch. */
  readonly previous: Hash | ''
  /** The last position and chain that the agent has seen of the folder; -1 and '' before the first Sync. */
  readonly position: number
  readonly chain: string
}

export interface SignedBatch {
  readonly head: Head
  /** Base64 of Ed25519 over the head's canonical JSON. */
  readonly signature: string
  readonly changes: readonly Change[]
  /** Each change's canonical JSON, byte for byte: what the leaf hashes are made of, and what the events embed. */
  readonly canonical: readonly string[]
  /** The client's clock in seconds: recorded, never trusted. */
  readonly timestamp: number
  /** Chunks that travel inside this message, as payload. */
  readonly contents: readonly Chunk[]
}

/** A path's version as Sync tells it. */
export interface RemoteEntry {
  readonly path: SyncPath
  readonly version: Revision
  readonly fileId: FileId
  /** undefined: deleted at `version`. */
  readonly content: Content | undefined
  /** True: this version is the file's first (a plain client is told of it among `Created`, of others among `Updated`). Agents need not care. */
  readonly created?: boolean
}

/** The fate of one change of a message. */
export type Outcome =
  /** `path` is where it landed (an edit of a moved file lands at its new path). `revision`: of the event that made it so; an earlier one where it was so already. */
  | { readonly status: 200; readonly revision: Revision; readonly path: SyncPath | undefined }
  | {
      readonly status: 400 | 403 | 404 | 409 | 413 | 423
      readonly code: Code
      readonly reason: string
      readonly present: RemoteEntry | undefined
    }

/**
 * One word for each reason, and the list is its own documentation.
 */
export const CODES = {
  format: 'The message is not of the expected form; Reason names the field.',
  path: 'The path is not allowed.',
  hash: 'The bytes do not match their hash.',
  signature: "The signature is not the enrolled key's over this message.",
  password: 'The email address or the password is wrong.',
  agent: 'The agent is not enrolled.',
  revoked: 'The agent has been revoked.',
  folder: 'There is no such folder for this account.',
  passwordClients: 'This gateway takes no clients that prove themselves by a password alone.',
  registration: 'Registration is closed on this gateway.',
  notFound: 'There is no such file or version.',
  stale: 'The path has moved on from Base; File holds the present version.',
  known: 'The content is an older version of the path since Base, not an edit; File holds the present version.',
  tree: 'The rules of the tree forbid it (a parent that is not a folder, a folder that is not empty).',
  chain: 'The log does not have this chain at this position.',
  number: "The message's number is spent: make a new epoch and plan again.",
  tooLarge: 'It is larger than allowed.',
  tooMany: 'Too many attempts: wait before the next.',
  full: "The gateway's disk or a quota is full.",
  busy: 'The gateway cannot do it now: try again later.',
  fault: 'The gateway failed: the fault is its own.',
} as const
export type Code = keyof typeof CODES

/** The gateway's signed word on what it appended (docs/protocol.md, "Receipts"). */
export interface Receipt {
  /** Canonical JSON of folder, root, outcomes' hash, position, chain. */
  readonly statement: string
  /** Inclusion path (RFC 6962) of the statement in its group commit, and the commit's signed root. */
  readonly index: number
  readonly size: number
  readonly path: readonly Hash[]
  readonly signature: string
}

export interface AgentInfo {
  readonly key: AgentKey
  readonly name: string
  readonly registered: string
  readonly revoked: boolean
  readonly self: boolean
}

export type Answer =
  | { readonly tag: 'Done'; readonly status: 200 }
  | { readonly tag: 'Registered'; readonly status: 200; readonly account: string; readonly folder: FolderId; readonly gatewayKey: string }
  | {
      readonly tag: 'Changed'
      readonly status: 200
      readonly outcomes: readonly Outcome[]
      readonly position: number
      readonly receipt: Receipt | undefined
    }
  | { readonly tag: 'SendChunks'; readonly status: 100; readonly missing: readonly Hash[] }
  | { readonly tag: 'MissingChunks'; readonly status: 200; readonly missing: readonly Hash[] }
  /** `position` and `chain`: up to where `entries` (each path at most once) is complete; `head`: the folder's last revision; `more`: ask again from `position`. */
  | {
      readonly tag: 'Synced'
      readonly status: 200
      readonly entries: readonly RemoteEntry[]
      readonly position: number
      readonly chain: string
      /** The log's own chain at the position that was asked for ('' at -1, or where the log does not reach it): the agent compares it with what it saw (I10). */ readonly since: string
      readonly head: number
      readonly more: boolean
    }
  /** The payload is these chunks; what was asked for and is not here: `missing` (damaged or unknown) or beyond the answer's size (ask again). */
  | { readonly tag: 'Opened'; readonly status: 200; readonly chunks: readonly Chunk[]; readonly missing: readonly Hash[] }
  /** To a plain peer's Open: the payload is the whole content, or its first piece (a transport says how the rest follows). */
  | { readonly tag: 'OpenedFile'; readonly status: 200; readonly path: SyncPath; readonly size: number }
  /** The payload is so many events, one a line. */
  | { readonly tag: 'LogPage'; readonly status: 200; readonly events: number }
  /** The payload is the result, as JSON. */
  | { readonly tag: 'Audited'; readonly status: 200; readonly ask: HistoryQuery['ask'] }
  | { readonly tag: 'AgentList'; readonly status: 200; readonly agents: readonly AgentInfo[] }
  | {
      readonly tag: 'Refused'
      readonly status: 400 | 403 | 404 | 409 | 413 | 423 | 429 | 500 | 503 | 507
      readonly code: Code
      readonly reason: string
    }

/** Limits of one Changes message. */
export const MAX_CHANGES = 256
export const MAX_CHANGES_BYTES = 512 * 1024

/** Most chunks that one message names in its `Contents`, and most bytes that they have together. */
export const MAX_CONTENTS = 1024
export const MAX_CONTENTS_BYTES = 4 * 1024 * 1024

/** Most hashes that one Missing or Open names, and most versions that one Open does. */
export const MAX_HASHES = 8192
export const MAX_OPEN_FILES = 1024

/** Most events that one ReadLog asks for, and most rows that one Audit does. */
export const MAX_LOG_EVENTS = 1000
export const MAX_AUDIT_ROWS = 2000
