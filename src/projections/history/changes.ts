import type { DatabaseSync } from 'node:sqlite'
import { sameContent } from '../../domain/content.ts'
import type { FileId, FolderId } from '../../domain/events.ts'
import type { SyncPath } from '../../domain/path.ts'
import { eventKey, fileKeys, lastKey } from './event-key.ts'
import type { Between, ChangePage, HistoryEntry, PathChange } from './port.ts'
import { EVENT, eventReader, isEntry, NAMED, prepared } from './rows.ts'
import { lastUpTo, NOTHING, windowEnds } from './tree.ts'

export type ChangeReads = (folder: FolderId, number: number, between: Between, after: SyncPath | undefined, max: number) => ChangePage

/** A path whose last event is another one; the revisions are -1 where it held nothing. */
type Changed = [path: SyncPath, before: number, after: number]

const BEFORE_AND_AFTER = `SELECT path, ${lastUpTo('?1')} AS before, ${lastUpTo('?2')} AS after FROM paths`
const DIFFERENT = `SELECT path, iif(before & 1, before >> 1, -1), iif(after & 1, after >> 1, -1)`
const WHERE = 'WHERE before IS NOT after AND (before & 1 OR after & 1) ORDER BY path LIMIT ?6'

/** Pages of what differs between two revisions, each made by looking at `look` entries of the index, or at the events between where they are fewer. */
export const changeReads = (db: DatabaseSync, look: number): ChangeReads => {
  const endOf = windowEnds(db, look)
  const select = (bound: string) =>
    prepared(db, `${DIFFERENT} FROM (${BEFORE_AND_AFTER} WHERE folder = ?3 AND path > ?4 ${bound} GROUP BY path) ${WHERE}`)
  const [upTo, toTheLast] = [select('AND path <= ?5'), select('AND ?5 IS NULL')]
  const few = prepared(
    db,
    `${DIFFERENT} FROM (
       ${BEFORE_AND_AFTER} WHERE folder = ?3 AND path IN (
         SELECT path FROM history WHERE id BETWEEN ?7 AND ?8 AND path > ?4
         UNION SELECT moved_from FROM history WHERE id BETWEEN ?7 AND ?8 AND moved_from > ?4
       ) AND ?5 IS NULL GROUP BY path
     ) ${WHERE}`,
  )
  const describe = describing(db)
  return (folder, number, { from, to }, after = NOTHING, max) => {
    const isFew = to - from <= look
    const end = isFew ? undefined : endOf(number, after, max)
    const bounds = [from, to, number, after, end ?? null, max]
    const rows = isFew
      ? few.all(...bounds, lastKey(number, from) + 1, lastKey(number, to))
      : (end === undefined ? toTheLast : upTo).all(...bounds)
    // The three columns.
    const changed = rows as unknown as readonly Changed[]
    const last = changed.length === max ? changed.at(-1)?.[0] : (end as SyncPath | undefined)
    return { changes: changed.flatMap((row) => describe(folder, number, { from, to }, row) ?? []), next: last }
  }
}

type Describe = (folder: FolderId, number: number, between: Between, changed: Changed) => PathChange | undefined

/** Undefined: other versions, which hold the same. */
const describing = (db: DatabaseSync): Describe => {
  const event = prepared(db, `SELECT ${EVENT} FROM history h ${NAMED} WHERE h.id = ?`)
  const place = prepared(db, 'SELECT path, kind FROM history WHERE file = ? AND id <= ? ORDER BY id DESC LIMIT 1')
  return (folder, number, { from, to }, [path, revisionBefore, revisionAfter]) => {
    const read = eventReader(folder, number)
    const entryOf = (revision: number): HistoryEntry | undefined => {
      const found = revision < 0 ? undefined : event.get(eventKey(number, revision))
      const made = found === undefined ? undefined : read(found)
      return isEntry(made) ? made : undefined
    }
    const placeOf = (fileId: FileId, revision: number): SyncPath | undefined => {
      // The two columns.
      const row = place.get(fileKeys(folder, number).keyOf(fileId), lastKey(number, revision)) as unknown as
        | [SyncPath, number | null]
        | undefined
      return row === undefined || row[1] === null || row[0] === path ? undefined : row[0]
    }
    const [before, after] = [entryOf(revisionBefore), entryOf(revisionAfter)]
    if (before !== undefined && after !== undefined && sameContent(before.content, after.content)) return undefined
    const another = before?.fileId !== after?.fileId
    return {
      path,
      before,
      after,
      cameFrom: another && after !== undefined ? placeOf(after.fileId, from) : undefined,
      wentTo: another && before !== undefined ? placeOf(before.fileId, to) : undefined,
    }
  }
}
