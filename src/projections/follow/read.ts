import type { DatabaseSync } from 'node:sqlite'
import type { Hash } from '../../domain/content.ts'
import type { FolderId } from '../../domain/events.ts'
import { reading } from '../../lib/sqlite.ts'
import { eventKey } from '../history/event-key.ts'
import { EVENT, eventReader, isEntry, KINDS, NAMED, prepared } from '../history/rows.ts'
import type { FollowReads } from '../port.ts'
import { objectKey } from './retired.ts'
import { bytesOf } from './write.ts'

interface PlaceRow {
  readonly name: string
  readonly offset: number
  readonly size: number
}

/** The tables, on any connection to their database. */
export interface FollowTablesRead extends FollowReads {
  /** Whether anything was ever retired. */
  anyRetired(): boolean
  /** When retention let a chunk go that was not stored again since, in milliseconds. */
  goneSince(hash: Hash): number | undefined
}

export const readFollowTables = (db: DatabaseSync): FollowTablesRead => {
  const any = db.prepare('SELECT 1 FROM retired LIMIT 1')
  const place = db.prepare('SELECT name, offset, size FROM chunks JOIN packs ON packs.id = pack WHERE hash = ?')
  const gone = db.prepare('SELECT time FROM gone WHERE hash = ?')
  const retired = db.prepare('SELECT 1 FROM retired WHERE object = ?')
  const folder = 'folder = (SELECT id FROM folders WHERE folder = ?)'
  const names = db.prepare(`SELECT size FROM folder_chunks WHERE ${folder} AND hash = ?`)
  const version = prepared(db, `SELECT ${EVENT} FROM history h ${NAMED} WHERE h.id = ?`)
  const held = db.prepare(
    `SELECT 1 FROM paths p CROSS JOIN history h ON h.id = ? + p.revision
     WHERE p.folder = ? AND p.path = ? AND p.revision >= ? AND p.live AND h.hash = ? AND h.kind = ? LIMIT 1`,
  )
  const numbers = db.prepare('SELECT id FROM folders WHERE folder = ?')
  const numberOf = (id: FolderId): number => Number(numbers.get(id)?.['id'] ?? -1)
  return {
    together: (ask) => reading(db, ask),
    find: (hash) => {
      // The columns that the statement names, and so below.
      const row = place.get(bytesOf(hash)) as unknown as PlaceRow | undefined
      return row && { pack: row.name, offset: row.offset, size: row.size }
    },
    anyRetired: () => any.get() !== undefined,
    isGone: (hash) => gone.get(bytesOf(hash)) !== undefined,
    goneSince: (hash) => {
      const time = gone.get(bytesOf(hash))?.['time']
      return time === undefined ? undefined : Number(time)
    },
    isRetired: (object) => retired.get(objectKey(object)) !== undefined,
    chunkSize: (id, hash) => {
      const size = names.get(id, bytesOf(hash))?.['size']
      return size === undefined ? undefined : Number(size)
    },
    versionAt: (id, revision) => {
      const number = numberOf(id)
      if (number < 0 || revision < 0) return undefined
      const row = version.get(eventKey(number, revision))
      const event = row === undefined ? undefined : eventReader(id, number)(row)
      if (!isEntry(event)) return undefined
      const { path, fileId, content } = event
      return { path, fileId, kind: content.kind, hash: content.hash }
    },
    held: (id, path, since, { hash, kind }) => {
      const number = numberOf(id)
      return number >= 0 && held.get(eventKey(number, 0), number, path, since, bytesOf(hash), KINDS.indexOf(kind)) !== undefined
    },
  }
}
