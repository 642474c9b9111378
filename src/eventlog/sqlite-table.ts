import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { createLatest } from '../lib/latest.ts'
import { transaction } from '../lib/sqlite.ts'
import type { ExpectedRevision, NewEvent, RecordedEvent } from './port.ts'

/** The form of the log's tables, in `PRAGMA user_version`. Other tables of the same file keep their versions themselves. */
const LOG_VERSION = 1

// The position is the rowid: rows are only ever added, so it grows from event to event. Streams are interned, which keeps the index
// small; it is unique as the last line of defence, and appending at the end of a stream finds its page in the cache.
const SCHEMA = `
  CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE events (
    position INTEGER PRIMARY KEY, stream INTEGER NOT NULL REFERENCES streams, revision INTEGER NOT NULL,
    id TEXT NOT NULL, type TEXT NOT NULL, data TEXT NOT NULL, metadata TEXT NOT NULL, chain TEXT NOT NULL
  );
  CREATE UNIQUE INDEX events_by_stream ON events (stream, revision);
  PRAGMA user_version = ${LOG_VERSION};
`

const versionOf = (db: DatabaseSync): number => Number(db.prepare('PRAGMA user_version').get()?.['user_version'])

/** Throws where the file was written by a newer version, or, when it may not be made, holds no log. */
export const checkVersion = (db: DatabaseSync): void => {
  const version = versionOf(db)
  if (version > LOG_VERSION)
    throw new Error(`this log has format ${version}; this version of EventSync reads up to ${LOG_VERSION}: upgrade EventSync`)
  if (version < LOG_VERSION) throw new Error('this database holds no event log')
}

/** Makes the tables where there are none, and checks their version. */
export const migrate = (db: DatabaseSync): void => {
  transaction(db, () => {
    if (versionOf(db) === 0) db.exec(SCHEMA)
  })
  checkVersion(db)
}

type Row = [position: number, stream: number, revision: number, id: string, type: string, data: string, metadata: string, chain: string]

const SELECT = `SELECT position, stream, revision, id, type, data, metadata, chain FROM events`

const toEvent = (stream: string, [position, , revision, id, type, data, metadata, chain]: Row): RecordedEvent => ({
  stream,
  revision,
  id,
  type,
  data,
  metadata,
  chain,
  position: { order: BigInt(position), token: String(position) },
})

/** Rows as arrays: twice as quick to read as objects. */
const prepared = (db: DatabaseSync, sql: string): StatementSync => {
  const statement = db.prepare(sql)
  statement.setReturnArrays(true)
  return statement
}

// `setReturnArrays` is not in the types: the rows are arrays of the columns that SELECT names.
const rowsOf = (rows: unknown): readonly Row[] => rows as readonly Row[]

/** What the log reads, synchronously, on one connection. */
export interface LogReads {
  after(order: bigint, max: number): readonly RecordedEvent[]
  of(stream: string, from: number, max: number): readonly RecordedEvent[]
  last(stream: string): RecordedEvent | undefined
}

/** Rows that are read at once, and bytes after which a page ends: a page of large events must not fill the memory (I16). */
const ROWS = 128
const PAGE_BYTES = 2 * 1024 * 1024

type ReadRows = (order: bigint, rows: number) => readonly Row[]

const pageAfter = (read: ReadRows, decode: (row: Row) => RecordedEvent, order: bigint, max: number): readonly RecordedEvent[] => {
  const page: RecordedEvent[] = []
  let bytes = 0
  while (page.length < max && bytes < PAGE_BYTES) {
    const asked = Math.min(ROWS, max - page.length)
    const rows = read(page.at(-1)?.position.order ?? order, asked)
    for (const row of rows) {
      const event = decode(row)
      bytes += event.data.length + event.metadata.length
      page.push(event)
    }
    if (rows.length < asked) break
  }
  return page
}

const MAX_NAMES = 10_000

/** A stream's name never changes, and neighbours are mostly of one stream: cheaper than joining it to each row. */
const streamNames = (db: DatabaseSync): ((key: number) => string) => {
  const find = db.prepare('SELECT name FROM streams WHERE id = ?')
  const known = createLatest<number, string>(MAX_NAMES)
  return (key) => {
    const before = known.get(key)
    if (before !== undefined) return before
    const name = find.get(key)?.['name']
    // Only a damaged log has such an event: whoever reads it must meet it, and can't take it for anything.
    if (typeof name !== 'string') return `?${key}`
    known.set(key, name)
    return name
  }
}

export const prepareReads = (db: DatabaseSync): LogReads => {
  const after = prepared(db, `${SELECT} WHERE position > ? ORDER BY position LIMIT ?`)
  const of = prepared(db, `${SELECT} WHERE stream = (SELECT id FROM streams WHERE name = ?) AND revision >= ? ORDER BY revision LIMIT ?`)
  const last = prepared(db, `${SELECT} WHERE stream = (SELECT id FROM streams WHERE name = ?) ORDER BY revision DESC LIMIT 1`)
  const nameOf = streamNames(db)
  const decode = (row: Row): RecordedEvent => toEvent(nameOf(row[1]), row)
  return {
    after: (order, max) => pageAfter((from, rows) => rowsOf(after.all(from, rows)), decode, order, max),
    of: (stream, from, max) => rowsOf(of.all(stream, from, Math.max(0, max))).map((row) => toEvent(stream, row)),
    last: (stream) => rowsOf(last.all(stream)).map((row) => toEvent(stream, row))[0],
  }
}

export interface StreamState {
  readonly key: number
  readonly last: ExpectedRevision
}

/** What an append reads and writes; only inside a transaction. */
export interface LogWrites {
  state(stream: string): StreamState | undefined
  create(stream: string): StreamState
  idAt(key: number, revision: number): string
  positionAt(key: number, revision: number): number
  insert(key: number, stream: string, revision: number, event: NewEvent): RecordedEvent
}

export const prepareWrites = (db: DatabaseSync): LogWrites => {
  const state = prepared(db, 'SELECT id, (SELECT max(revision) FROM events WHERE stream = streams.id) FROM streams WHERE name = ?')
  const create = db.prepare('INSERT INTO streams (name) VALUES (?)')
  const at = prepared(db, 'SELECT position, id FROM events WHERE stream = ? AND revision = ?')
  const insert = db.prepare('INSERT INTO events (stream, revision, id, type, data, metadata, chain) VALUES (?, ?, ?, ?, ?, ?, ?)')
  // The two columns that `at` names, of an event that is there.
  const rowAt = (key: number, revision: number) => at.get(key, revision) as unknown as [position: number, id: string]
  return {
    state: (stream) => {
      // The two columns that `state` names; a stream is only ever made together with its first event.
      const row = state.get(stream) as unknown as [key: number, last: number] | undefined
      return row && { key: row[0], last: row[1] }
    },
    create: (stream) => ({ key: Number(create.run(stream).lastInsertRowid), last: 'none' }),
    idAt: (key, revision) => rowAt(key, revision)[1],
    positionAt: (key, revision) => rowAt(key, revision)[0],
    insert: (key, stream, revision, { id, type, data, metadata, chain }) => {
      const position = Number(insert.run(key, revision, id, type, data, metadata, chain).lastInsertRowid)
      return toEvent(stream, [position, key, revision, id, type, data, metadata, chain])
    },
  }
}
