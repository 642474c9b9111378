import type * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'

/** A place in the order of all streams. `token` is the adapter's own; `order` grows strictly from event to event. */
export interface LogPosition {
  readonly order: bigint
  readonly token: string
}

export interface NewEvent {
  /** A deterministic UUID: the same event appended again has the same id. */
  readonly id: string
  readonly type: string
  /** JSON text, kept byte for byte. */
  readonly data: string
  readonly metadata: string
  /** SHA-256 in hex over the previous chain and this event (protocol/chain.ts); opaque to the log. */
  readonly chain: string
}

export interface RecordedEvent extends NewEvent {
  readonly stream: string
  /** From 0, without gaps, in its stream. */
  readonly revision: number
  readonly position: LogPosition
}

/** What a stream must look like for an append to succeed: its last revision, or 'none' where it must not exist yet. */
export type ExpectedRevision = number | 'none'

export type AppendError =
  | { readonly tag: 'Conflict'; readonly actual: ExpectedRevision }
  /** It may or may not have been written: append the same again, with the same ids and the same expected revision. */
  | { readonly tag: 'OutcomeUnknown'; readonly reason: string }
  | { readonly tag: 'Refused'; readonly reason: string }
  | { readonly tag: 'Full'; readonly reason: string }
  | { readonly tag: 'Unavailable'; readonly reason: string }

export type ReadError = { readonly tag: 'Unavailable'; readonly reason: string }

export interface Appended {
  /** Of the last event of the append. */
  readonly revision: number
  readonly position: LogPosition
}

/** The reading half of a log: what auditors and projections need, who never write. Each read is one page. */
export interface EventReader {
  /** At most `max` events from revision `from` (included); fewer, or none, at the end or where there is no such stream. */
  read(stream: string, from: number, max: number): TE.TaskEither<ReadError, readonly RecordedEvent[]>
  /** The last event of a stream, or undefined where there is none. */
  last(stream: string): TE.TaskEither<ReadError, RecordedEvent | undefined>
  /** At most `max` events of all streams after `after` (excluded); fewer, too, where they are large, and none only at the end. */
  readAll(after: LogPosition | 'start', max: number): TE.TaskEither<ReadError, readonly RecordedEvent[]>
  /** The event at a position that a log gave; undefined where this one has none there: it is another log, or was cut. */
  at(position: LogPosition): TE.TaskEither<ReadError, RecordedEvent | undefined>
}

/** What can be read of a log's streams where the order of all of them is not at hand: through a gateway. */
export type StreamReader = Pick<EventReader, 'read' | 'last'>

/**
 * The only truth: streams of events, appended under an expected revision and never changed.
 *
 * Ordering: revisions count from 0 without gaps; `readAll` and `subscribe` give every event once, in one order that all
 * readers share, and each stream in the order of its revisions. Durability: a right of `append` survives kill -9 and a power
 * cut, whole or (on any left but OutcomeUnknown) not at all. Idempotence: the same ids at the same expected revision append nothing and
 * answer as the first time. Concurrency: any number of callers; one of two appends at the same expected revision gets Conflict.
 */
export interface EventLog extends EventReader, AsyncDisposable {
  append(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): TE.TaskEither<AppendError, Appended>
  /** Batches of all events after `after`, those to come included, until the signal aborts; a slow reader slows only itself. */
  subscribe(after: LogPosition | 'start', signal: AbortSignal): AsyncIterable<readonly RecordedEvent[]>
}

/** Something that could not be read as an event. */
export interface ScanDamage {
  /** The event, where that much can be told. */
  readonly at?: { readonly stream: string; readonly revision: number }
  readonly kind: 'unreadable' | 'index' | 'format'
  /** A sentence without its full stop: what, and where in the log's own storage. */
  readonly reason: string
}

export interface ScanPage {
  readonly events: readonly RecordedEvent[]
  readonly damage: readonly ScanDamage[]
}

/**
 * A log as an audit reads it, from its start to the end that it has then: nothing is written, what cannot be read is told and passed over, and
 * the log may grow meanwhile. Left: the log is out of reach altogether.
 */
export interface LogScan extends AsyncDisposable {
  pages(): AsyncIterable<E.Either<ReadError, ScanPage>>
  /** One event; undefined where there is none, or none that can be read. */
  event(stream: string, revision: number): Promise<RecordedEvent | undefined>
}
