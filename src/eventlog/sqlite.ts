import type { DatabaseSync } from 'node:sqlite'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import * as E from 'fp-ts/lib/Either.js'
import { databaseFailure, openDatabase, transaction } from '../lib/sqlite.ts'
import { place, refusal } from './checks.ts'
import { createBell, follow } from './follow.ts'
import type {
  Appended,
  AppendError,
  EventLog,
  EventReader,
  ExpectedRevision,
  LogPosition,
  NewEvent,
  ReadError,
  RecordedEvent,
} from './port.ts'
import { checkVersion, type LogReads, type LogWrites, migrate, prepareReads, prepareWrites } from './sqlite-table.ts'

export interface SqliteLogOptions {
  /** Called inside the append's own transaction; where it throws, nothing is appended. Not called for an append that is there already. */
  readonly onAppend?: (stream: string, events: readonly RecordedEvent[]) => void
}

/** How soon a subscription sees what another process appended. Its own appends wake it at once. */
const POLL_MS = 250
const SUBSCRIPTION_BATCH = 256

const orderOf = (after: LogPosition | 'start'): bigint => (after === 'start' ? 0n : after.order)

const appendedAt = (revision: number, { position }: Pick<RecordedEvent, 'position'>): Appended => ({ revision, position })

type Append = (stream: string, expected: ExpectedRevision, events: readonly NewEvent[]) => E.Either<AppendError, Appended>

/** The part of an append that runs inside its transaction. */
const appendWith =
  (writes: LogWrites, onAppend: SqliteLogOptions['onAppend']): Append =>
  (stream, expected, events) => {
    const known = writes.state(stream)
    const placing = place(known?.last ?? 'none', expected, events, (revision) =>
      known === undefined ? '' : writes.idAt(known.key, revision),
    )
    if (placing.tag === 'Conflict') return E.left(placing)
    const { key } = known ?? writes.create(stream)
    const last = placing.revision + events.length - 1
    if (placing.tag === 'again') {
      const position = writes.positionAt(key, last)
      return E.right(appendedAt(last, { position: { order: BigInt(position), token: String(position) } }))
    }
    const recorded = events.map((event, index) => writes.insert(key, stream, placing.revision + index, event))
    onAppend?.(stream, recorded)
    // There is at least one event: `refusal` has seen to it.
    return E.right(appendedAt(last, recorded.at(-1) as RecordedEvent))
  }

/** An error of `COMMIT` itself leaves open what a restart finds in the write-ahead log; only a full disk can't have written it whole. */
const appendError = (error: unknown, committing: boolean): AppendError => {
  const failure = databaseFailure(error)
  if (failure === undefined) throw error
  const reason = `the log's database: ${String(error)}`
  if (failure === 'full') return { tag: 'Full', reason }
  return committing ? { tag: 'OutcomeUnknown', reason } : { tag: 'Unavailable', reason }
}

const durably =
  (db: DatabaseSync, append: Append): Append =>
  (stream, expected, events) => {
    const reason = refusal(stream, expected, events)
    if (reason !== undefined) return E.left({ tag: 'Refused', reason })
    let committing = false
    try {
      return transaction(db, () => {
        const answer = append(stream, expected, events)
        committing = true
        return answer
      })
    } catch (error) {
      return E.left(appendError(error, committing))
    }
  }

const CLOSED = { tag: 'Unavailable', reason: 'the log is closed' } as const

const readingUntil =
  (closed: AbortSignal) =>
  <A>(read: () => A): TE.TaskEither<ReadError, A> =>
  async () => {
    if (closed.aborted) return E.left(CLOSED)
    try {
      return E.right(read())
    } catch (error) {
      if (databaseFailure(error) === undefined) throw error
      return E.left({ tag: 'Unavailable', reason: `the log's database: ${String(error)}` })
    }
  }

const readerOf = (reads: LogReads, closed: AbortSignal): EventReader => {
  const reading = readingUntil(closed)
  return {
    read: (stream, from, max) => reading(() => reads.of(stream, from, max)),
    last: (stream) => reading(() => reads.last(stream)),
    readAll: (after, max) => reading(() => reads.after(orderOf(after), max)),
    at: ({ order }) => reading(() => reads.after(order - 1n, 1).find(({ position }) => position.order === order)),
  }
}

/**
 * The event log in one SQLite database, for one machine. `db` is opened with `synchronous` FULL (durability rests on it) and stays
 * its opener's to close, after the log was disposed of. Throws where a newer version wrote the log; a subscription throws where
 * the database can't be read.
 */
export const openSqliteLog = (db: DatabaseSync, { onAppend }: SqliteLogOptions = {}): EventLog => {
  migrate(db)
  const reads: LogReads = prepareReads(db)
  const append = durably(db, appendWith(prepareWrites(db), onAppend))
  const bell = createBell()
  const closing = new AbortController()
  const page = (after: bigint): readonly RecordedEvent[] => reads.after(after, SUBSCRIPTION_BATCH)
  return {
    append: (stream, expected, events) => async () => {
      if (closing.signal.aborted) return E.left(CLOSED)
      const answer = append(stream, expected, events)
      bell.ring()
      return answer
    },
    ...readerOf(reads, closing.signal),
    subscribe: (after, signal) =>
      follow({ page, after: orderOf(after), bell, signal: AbortSignal.any([signal, closing.signal]), pollMs: POLL_MS }),
    [Symbol.asyncDispose]: async () => closing.abort(),
  }
}

/** A log read beside its writer, on a connection of its own: for a worker thread or another process. */
export interface SqliteLogReader extends EventReader, Disposable {
  /** At most `max` events of all streams after `afterOrder` (0n: from the start); fewer, too, where they are large, and none only at the end. Throws where the database can't be read. */
  readAllSync(afterOrder: bigint, max: number): readonly RecordedEvent[]
}

/** Throws where there is no log in `file`, or a newer version wrote it. */
export const openSqliteLogReader = (file: string): SqliteLogReader => {
  const db = openDatabase(file, { synchronous: 'FULL', readOnly: true })
  try {
    checkVersion(db)
    const reads = prepareReads(db)
    const closing = new AbortController()
    return {
      ...readerOf(reads, closing.signal),
      readAllSync: (afterOrder, max) => reads.after(afterOrder, max),
      [Symbol.dispose]: () => {
        closing.abort()
        db.close()
      },
    }
  } catch (error) {
    db.close()
    throw error
  }
}
