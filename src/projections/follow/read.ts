import type { DatabaseSync } from 'node:sqlite'
import type { Hash, Kind } from '../../domain/content.ts'
import type { FileId } from '../../domain/events.ts'
import type { SyncPath } from '../../domain/path.ts'
import { reading } from '../../lib/sqlite.ts'
import type { FollowReads } from '../port.ts'
import { objectKey } from './retired.ts'
import { bytesOf } from './write.ts'

interface PlaceRow {
  readonly name: string
  readonly offset: number
  readonly size: number
}

interface VersionRow {
  readonly path: SyncPath
  readonly file_id: FileId
  readonly kind: Kind
  readonly hash: Uint8Array
}

/** The tables, on any connection to their database. */
export interface FollowTablesRead extends FollowReads {
  /** Whether anything was ever retired. */
  anyRetired(): boolean
}

export const readFollowTables = (db: DatabaseSync): FollowTablesRead => {
  const any = db.prepare('SELECT 1 FROM retired LIMIT 1')
  const place = db.prepare('SELECT name, offset, size FROM chunks JOIN packs ON packs.id = pack WHERE hash = ?')
  const gone = db.prepare('SELECT 1 FROM gone WHERE hash = ?')
  const retired = db.prepare('SELECT 1 FROM retired WHERE object = ?')
  const folder = 'folder = (SELECT id FROM folders WHERE folder = ?)'
  const names = db.prepare(`SELECT size FROM folder_chunks WHERE ${folder} AND hash = ?`)
  const version = db.prepare(`SELECT path, file_id, kind, hash FROM history WHERE ${folder} AND revision = ? AND hash IS NOT NULL`)
  const held = db.prepare(`SELECT 1 FROM history WHERE ${folder} AND path = ? AND revision >= ? AND hash = ? AND kind = ?`)
  return {
    together: (ask) => reading(db, ask),
    find: (hash) => {
      // The columns that the statement names, and so below.
      const row = place.get(bytesOf(hash)) as unknown as PlaceRow | undefined
      return row && { pack: row.name, offset: row.offset, size: row.size }
    },
    anyRetired: () => any.get() !== undefined,
    isGone: (hash) => gone.get(bytesOf(hash)) !== undefined,
    isRetired: (object) => retired.get(objectKey(object)) !== undefined,
    chunkSize: (id, hash) => {
      const size = names.get(id, bytesOf(hash))?.['size']
      return size === undefined ? undefined : Number(size)
    },
    versionAt: (id, revision) => {
      const row = version.get(id, revision) as unknown as VersionRow | undefined
      // Hex of 32 bytes is a Hash.
      return row && { path: row.path, fileId: row.file_id, kind: row.kind, hash: Buffer.from(row.hash).toString('hex') as Hash }
    },
    held: (id, path, since, content) => held.get(id, path, since, bytesOf(content.hash), content.kind) !== undefined,
  }
}
