import type { DatabaseSync } from 'node:sqlite'
import { MAX_GLOB, parseGlob, type Glob } from '../../domain/glob.ts'
import type { FolderId } from '../../domain/events.ts'
import { eventKey, fileKeys } from './event-key.ts'
import type { EventPage, EventQuery, HistoryEvent } from './port.ts'
import { EVENT, eventReader, NAMED, statements } from './rows.ts'

type Value = string | number
interface Part {
  readonly sql: string
  readonly values: readonly Value[]
}

/** More events than so many are looked at one by one, rather than gathered and sorted. */
const NARROW = 20_000
/** Above whatever a path of at most 255 bytes a name goes on with. */
const ABOVE = '\u{10FFFF}'.repeat(64)

export type EventReads = (folder: FolderId, number: number, query: EventQuery) => EventPage

/** Pages of events, each made by looking at `look` of them at most. */
export const eventReads = (db: DatabaseSync, look: number): EventReads => {
  const statement = statements(db)
  const rowsOf = ({ sql, values }: Part): readonly unknown[] => statement(sql).all(...values)
  const first = (part: Part): number | undefined => {
    const [row] = rowsOf(part)
    // One number, as both callers select it.
    return row === undefined ? undefined : (row as [number])[0]
  }
  const candidatesOf = (number: number, query: EventQuery, glob: Glob | undefined): Part | undefined => {
    const narrow = candidates(number, query, glob)
    if (narrow === undefined || query.where?.tag !== 'glob') return narrow
    const tooMany = first({ sql: `SELECT 1 FROM (${narrow.sql}) LIMIT 1 OFFSET ${NARROW}`, values: narrow.values }) !== undefined
    return tooMany ? undefined : narrow
  }
  return (folder, number, query) => {
    const { from, to, max, where } = query
    if (from > to || max < 1) return { events: [], next: undefined }
    const glob = where?.tag === 'glob' ? parseGlob(where.glob.slice(0, MAX_GLOB)) : undefined
    const own = where?.tag === 'file' ? fileKeys(folder, number).keyOf(where.fileId) : undefined
    const filter = filterOf(query, glob)
    const some = own === undefined ? candidatesOf(number, query, glob) : ofFile(own, number, query)
    const end = some === undefined ? Math.min(to, from + look - 1) : to
    const source = some === undefined ? span(number, from, end) : limited(some, look)
    const rows = rowsOf({
      sql: `SELECT ${EVENT} FROM (${source.sql}) c CROSS JOIN history h ON h.id = c.id ${NAMED} ${filter.sql} ORDER BY c.id LIMIT ?`,
      values: [...source.values, ...filter.values, max],
    })
    const found = rows.map(eventReader(folder, number))
    const events = glob === undefined ? found : found.filter((event) => isAbout(glob, event))
    const last = found.at(-1)
    if (found.length === max && last !== undefined) return { events, next: last.revision < to ? last.revision + 1 : undefined }
    if (some === undefined) return { events, next: end < to ? end + 1 : undefined }
    const next = first({ sql: `SELECT id FROM (${some.sql}) ORDER BY id LIMIT 1 OFFSET ${look}`, values: some.values })
    return { events, next: next === undefined ? undefined : next - eventKey(number, 0) }
  }
}

const isAbout = (glob: Glob, { path, from }: HistoryEvent): boolean =>
  (path !== undefined && glob.matches(path)) || (from !== undefined && glob.matches(from))

const span = (number: number, from: number, to: number): Part => ({
  sql: 'SELECT id FROM history WHERE id BETWEEN ? AND ?',
  values: [eventKey(number, from), eventKey(number, to)],
})

const limited = ({ sql, values }: Part, look: number): Part => ({ sql: `SELECT id FROM (${sql}) ORDER BY id LIMIT ${look}`, values })

const ofFile = (file: Value, number: number, { from, to }: EventQuery): Part => ({
  sql: 'SELECT id FROM history WHERE file = ? AND id BETWEEN ? AND ?',
  values: [file, eventKey(number, from), eventKey(number, to)],
})

/** Ids of events that an index knows; undefined: all of them must be looked at. */
const candidates = (number: number, { where, from, to }: EventQuery, glob: Glob | undefined): Part | undefined => {
  const ids = `SELECT DISTINCT ${eventKey(number, 0)} + revision AS id FROM paths WHERE folder = ?`
  const between = 'AND revision BETWEEN ? AND ?'
  if (where?.tag === 'path') return { sql: `${ids} AND path = ? ${between}`, values: [number, where.path, from, to] }
  if (glob === undefined || glob.prefix === '') return undefined
  return { sql: `${ids} AND path >= ? AND path < ? ${between}`, values: [number, glob.prefix, glob.prefix + ABOVE, from, to] }
}

/** What the index can't tell is looked at event by event. Senders and types are few: their numbers are found once. */
const filterOf = ({ agents, accounts, types }: EventQuery, glob: Glob | undefined): Part => {
  const listed = 'IN (SELECT value FROM json_each(?))'
  const parts: Part[] = [
    ...(agents === undefined
      ? []
      : [{ sql: `h.sender IN (SELECT id FROM senders WHERE agent ${listed})`, values: [JSON.stringify(agents)] }]),
    ...(accounts === undefined
      ? []
      : [{ sql: `h.sender IN (SELECT id FROM senders WHERE account ${listed})`, values: [JSON.stringify(accounts)] }]),
    ...(types === undefined
      ? []
      : [{ sql: `h.type IN (SELECT id FROM event_types WHERE type ${listed})`, values: [JSON.stringify(types)] }]),
    ...(glob === undefined ? [] : [{ sql: '(h.path GLOB ? OR h.moved_from GLOB ?)', values: [glob.wider, glob.wider] }]),
  ]
  if (parts.length === 0) return { sql: '', values: [] }
  return { sql: `WHERE ${parts.map(({ sql }) => sql).join(' AND ')}`, values: parts.flatMap(({ values }) => values) }
}
