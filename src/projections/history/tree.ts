import type { DatabaseSync } from 'node:sqlite'
import type { FolderId } from '../../domain/events.ts'
import type { SyncPath } from '../../domain/path.ts'
import { eventKey } from './event-key.ts'
import type { HistoryEvent, TreePage } from './port.ts'
import { EVENT, eventReader, isEntry, NAMED, prepared } from './rows.ts'

/** A path's last event up to a revision, and whether it lives: one number that grows with the revision. */
export const lastUpTo = (revision: string): string => `max(CASE WHEN revision <= ${revision} THEN revision * 2 + live END)`

/** Entries of the index for each row that a page may have: more live in few paths than in many. */
const ENTRIES_A_ROW = 4

export type WindowEnds = (number: number, after: string, max: number) => string | undefined

/**
 * The path at which a page of `max` rows has looked at enough, `look` entries of the index at most; undefined: it reaches to the last. A page
 * ends behind a path's last event, so beside those entries it reads those of one path.
 */
export const windowEnds = (db: DatabaseSync, look: number): WindowEnds => {
  const end = prepared(db, 'SELECT path FROM paths WHERE folder = ? AND path > ? ORDER BY path, revision LIMIT 1 OFFSET ?')
  // The one column.
  return (number, after, max) => (end.get(number, after, Math.min(look, max * ENTRIES_A_ROW)) as [string] | undefined)?.[0]
}

export type TreeReads = (folder: FolderId, number: number, at: number, after: SyncPath | undefined, max: number) => TreePage

/** Pages of the tree at a revision, each made by looking at `look` entries of the index. */
export const treeReads = (db: DatabaseSync, look: number): TreeReads => {
  const endOf = windowEnds(db, look)
  const select = (bound: string) =>
    prepared(
      db,
      `SELECT ${EVENT} FROM (
         SELECT path, ${lastUpTo('?1')} AS last FROM paths WHERE folder = ?2 AND path > ?3 ${bound} GROUP BY path
       ) p CROSS JOIN history h ON h.id = ?5 + (p.last >> 1) ${NAMED} WHERE p.last & 1 ORDER BY p.path LIMIT ?6`,
    )
  const [upTo, toTheLast] = [select('AND path <= ?4'), select('AND ?4 IS NULL')]
  return (folder, number, at, after = NOTHING, max) => {
    const end = endOf(number, after, max)
    const rows = (end === undefined ? toTheLast : upTo).all(at, number, after, end ?? null, eventKey(number, 0), max)
    const entries = rows.map(eventReader(folder, number)).filter(isEntry)
    // What the index calls a path is one.
    const next = entries.length === max ? entries.at(-1)?.path : (end as SyncPath | undefined)
    return { entries, next }
  }
}

/** Before every path. */
export const NOTHING = '' as SyncPath

export type TouchedReads = (folder: FolderId, number: number, path: SyncPath, at: number) => HistoryEvent | undefined

export const touchedReads = (db: DatabaseSync): TouchedReads => {
  const last = prepared(
    db,
    `SELECT ${EVENT} FROM (SELECT revision FROM paths WHERE folder = ? AND path = ? AND revision <= ? ORDER BY revision DESC LIMIT 1) p
     CROSS JOIN history h ON h.id = ? + p.revision ${NAMED}`,
  )
  return (folder, number, path, at) => {
    const row = last.get(number, path, at, eventKey(number, 0))
    return row === undefined ? undefined : eventReader(folder, number)(row)
  }
}
