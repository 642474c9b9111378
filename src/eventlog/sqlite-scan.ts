import type { DatabaseSync } from 'node:sqlite'
import * as E from 'fp-ts/lib/Either.js'
import { createLatest } from '../lib/latest.ts'
import { databaseFailure, isDamage, openDatabase } from '../lib/sqlite.ts'
import type { LogScan, ReadError, RecordedEvent, ScanDamage, ScanPage } from './port.ts'
import { createRowsSum, indexSum, type RowsSum, type Summed } from './sqlite-index-sum.ts'
import { checkVersion } from './sqlite-table.ts'

/** Rows that are read at once, and characters after which a page ends. */
const ROWS = 256
const PAGE_LENGTH = 2 * 1024 * 1024
/** Beyond every position. */
const END = Number.MAX_SAFE_INTEGER

/** A row as it lies there: after damage a column may hold anything. */
type Row = [position: number, stream: unknown, revision: unknown, ...texts: unknown[]]

const TEXTS = ['id', 'type', 'data', 'metadata', 'chain'] as const

interface Reads {
  /** Rows after a position, and not beyond another; undefined where the database says that it is damaged there. */
  readonly after: (position: number, rows: number, to?: number) => readonly Row[] | undefined
  readonly nameOf: (stream: unknown) => string | undefined
  readonly at: (stream: string, revision: number) => Row | undefined
}

/** What `read` gives, or undefined where the file is damaged there; throws what is no damage. */
const unlessDamaged = <A>(read: () => A): A | undefined => {
  try {
    return read()
  } catch (error) {
    if (isDamage(error)) return undefined
    throw error
  }
}

const COLUMNS = 'position, stream, revision, id, type, data, metadata, chain'

const prepare = (db: DatabaseSync): Reads => {
  const arrays = (sql: string) => {
    const statement = db.prepare(sql)
    statement.setReturnArrays(true)
    return statement
  }
  const after = arrays(`SELECT ${COLUMNS} FROM events WHERE position > ? AND position <= ? ORDER BY position LIMIT ?`)
  const name = db.prepare('SELECT name FROM streams WHERE id = ?')
  const at = arrays(`SELECT ${COLUMNS} FROM events WHERE stream = (SELECT id FROM streams WHERE name = ?) AND revision = ?`)
  const names = new Map<unknown, string>()
  const readName = (stream: unknown): string | undefined => {
    if (typeof stream !== 'number') return undefined
    const found = unlessDamaged(() => name.get(stream))?.['name']
    if (typeof found !== 'string') return undefined
    names.set(stream, found)
    return found
  }
  return {
    // `setReturnArrays` is not in the types: the rows are arrays of the columns above.
    after: (position, rows, to = END) => unlessDamaged(() => after.all(position, to, rows) as unknown as readonly Row[]),
    nameOf: (stream) => names.get(stream) ?? readName(stream),
    at: (stream, revision) => unlessDamaged(() => at.get(stream, revision) as unknown as Row | undefined),
  }
}

const damageOf = (position: number, what: string): ScanDamage => ({
  kind: 'format',
  reason: `record ${position} of the log's database: ${what}`,
})

const understand = ([position, stream, revision, ...texts]: Row, nameOf: Reads['nameOf']): RecordedEvent | ScanDamage => {
  const name = nameOf(stream)
  if (name === undefined) return damageOf(position, 'it belongs to no stream')
  if (typeof revision !== 'number') return damageOf(position, `its revision in ${name} is no number`)
  const wrong = TEXTS.find((_, index) => typeof texts[index] !== 'string')
  if (wrong !== undefined) return { ...damageOf(position, `its ${wrong} is no text`), at: { stream: name, revision } }
  // All five have just been found to be texts.
  const [id, type, data, metadata, chain] = texts as [string, string, string, string, string]
  return { stream: name, revision, id, type, data, metadata, chain, position: { order: BigInt(position), token: String(position) } }
}

/** Where reading goes on after a place that can't be read: found by growing steps, then narrowed down, since each step asks the database anew. */
const readableAfter = ({ after }: Reads, from: number): number => {
  let bad = from
  let good = from
  for (let step = 1; ; step *= 2) {
    good = Math.min(END, from + step)
    if (after(good, 1) !== undefined || good === END) break
    bad = good
  }
  while (good - bad > 1) {
    const middle = bad + Math.floor((good - bad) / 2)
    if (after(middle, 1) === undefined) bad = middle
    else good = middle
  }
  return good
}

interface Page extends ScanPage {
  readonly last: number
  readonly ended: boolean
}

/** Walks over the table of events, over damage too, from a position up to another. */
const createWalk = (reads: Reads, sum: RowsSum) => {
  const skip = (from: number): Page => {
    const next = readableAfter(reads, from)
    const rest = next === END ? 'everything' : 'what lies'
    const until = next === END ? '' : ` and up to record ${next}`
    const reason = `${rest} after record ${from}${until} of the log's database cannot be read: SQLite finds it damaged`
    return { events: [], damage: [{ kind: 'unreadable', reason }], last: next, ended: next === END }
  }
  return (from: number, to = END): Page => {
    const events: RecordedEvent[] = []
    const damage: ScanDamage[] = []
    let last = from
    let length = 0
    let rows = ROWS
    while (length < PAGE_LENGTH) {
      const found = reads.after(last, rows, to)
      if (found === undefined && rows > 1) {
        rows = 1
        continue
      }
      if (found === undefined) return events.length + damage.length > 0 ? { events, damage, last, ended: false } : skip(last)
      for (const row of found) {
        if (typeof row[0] !== 'number' || row[0] <= last)
          return { events, damage: [...damage, disorder(last)], last: last + 1, ended: false }
        last = row[0]
        sum.add(row[1], row[2], last)
        const event = understand(row, reads.nameOf)
        if ('kind' in event) damage.push(event)
        else events.push(event)
        length += 'kind' in event ? 0 : event.data.length + event.metadata.length
      }
      if (found.length < rows) return { events, damage, last, ended: true }
    }
    return { events, damage, last, ended: false }
  }
}

const disorder = (last: number): ScanDamage => ({
  kind: 'unreadable',
  reason: `the records after ${last} of the log's database are out of their order`,
})

/** An embedded log that may also be read in segments, on several threads: all records after a position up to another. */
export interface SqliteScan extends LogScan {
  /** The position of the last record, or 0; undefined where the file is damaged there. */
  readonly end: () => number | undefined
  /** Where a segment had best end that holds the record at a position: before the next one that does not go on with a message. */
  readonly segmentEnd: (position: number) => number
  /** Records after a position up to another, which are added to the sum; the last page may reach beyond, over damage. */
  readonly between: (from: number, to: number, sum: RowsSum) => readonly (ScanPage & { readonly last: number })[]
  /** What comes after a position; `sum`: over the records before, for the index. */
  readonly pagesAfter: (position: number, sum: RowsSum) => AsyncIterable<E.Either<ReadError, ScanPage>>
}

/** Opens an embedded log for an audit, beside the gateway that writes it or without one. Throws where there is none, a newer version wrote it, or it is damaged at its very head. */
export const openSqliteScan = (file: string): SqliteScan => {
  const db = openDatabase(file, { synchronous: 'FULL', readOnly: true })
  try {
    checkVersion(db)
    const reads = prepare(db)
    const next = db.prepare(NEXT_MESSAGE)
    const end = db.prepare('SELECT coalesce(max(position), 0) AS last FROM events')
    return {
      end: () => unlessDamaged(() => Number(end.get()?.['last'])),
      segmentEnd: (position) => {
        const found = unlessDamaged(() => next.get(position, position + MAX_MESSAGE))
        return found === undefined ? position : Number(found['position']) - 1
      },
      between: (from, to, sum) => [...pagesBetween(createWalk(reads, sum), from, to)],
      pagesAfter: (position, sum) => pagesAfter(db, reads, position, sum),
      pages: () => pagesAfter(db, reads, 0, createRowsSum()),
      event: async (stream, revision) => {
        const row = reads.at(stream, revision)
        const event = row === undefined ? undefined : understand(row, reads.nameOf)
        return event === undefined || 'kind' in event ? undefined : event
      },
      [Symbol.asyncDispose]: async () => db.close(),
    }
  } catch (error) {
    db.close()
    throw error
  }
}

/** Records in which a message may go on, its refused changes aside. */
const MAX_MESSAGE = 1024
const NEXT_MESSAGE = `
  SELECT position FROM events
  WHERE position > ? AND position <= ? AND (metadata LIKE '%"message":{%' OR metadata NOT LIKE '%"proof":"signed"%') ORDER BY position LIMIT 1`

function* pagesBetween(walk: ReturnType<typeof createWalk>, from: number, to: number): Generator<Page> {
  for (let last = from, ended = false; !ended;) {
    const page = walk(last, to)
    yield page
    last = page.last
    ended = page.ended || last >= to
  }
}

async function* pagesAfter(db: DatabaseSync, reads: Reads, from: number, sum: RowsSum): AsyncGenerator<E.Either<ReadError, ScanPage>> {
  try {
    let last = from
    for (const page of pagesBetween(createWalk(reads, sum), from, END)) {
      yield E.right(page)
      last = page.last
    }
    const inIndex = unlessDamaged(() => indexSum(db, last))
    if (inIndex === undefined || !sum.equals(inIndex)) yield E.right({ events: [], damage: [INDEX_DAMAGE] })
  } catch (error) {
    if (databaseFailure(error) === undefined) throw error
    yield E.left({ tag: 'Unavailable', reason: `the log's database: ${String(error)}` })
  }
}

const INDEX_DAMAGE: ScanDamage = {
  kind: 'index',
  reason: "the index over streams of the log's database does not name just the records that are there",
}

/** A thread's own view of an embedded log, for segments of it. */
export interface SegmentReads extends Disposable {
  /** The records after a position up to another; undefined where not all of them can be read. */
  readonly between: (from: number, to: number) => { readonly events: readonly RecordedEvent[]; readonly sum: Summed } | undefined
  readonly chainAt: (stream: string, revision: number) => string | undefined
}

const MAX_CHAINS = 64

/** Opens what {@link openSqliteScan} has opened before. */
export const openSegmentReads = (file: string): SegmentReads => {
  const db = openDatabase(file, { synchronous: 'FULL', readOnly: true })
  const reads = prepare(db)
  // Several messages begin with what was the last of all.
  const chains = createLatest<string, string>(MAX_CHAINS)
  const chain = db.prepare('SELECT chain FROM events WHERE stream = (SELECT id FROM streams WHERE name = ?) AND revision = ?')
  return {
    between: (from, to) => {
      const sum = createRowsSum()
      const events: RecordedEvent[] = []
      for (const page of pagesBetween(createWalk(reads, sum), from, to)) {
        if (page.damage.length > 0) return undefined
        events.push(...page.events)
      }
      return { events, sum: sum.value }
    },
    chainAt: (stream, revision) => {
      const name = `${stream}@${revision}`
      const known = chains.get(name)
      if (known !== undefined) return known
      const found = unlessDamaged(() => chain.get(stream, revision))?.['chain']
      if (typeof found !== 'string') return undefined
      chains.set(name, found)
      return found
    },
    [Symbol.dispose]: () => db.close(),
  }
}
