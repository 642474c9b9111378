import type { DatabaseSync } from 'node:sqlite'
import type { PackIndex } from '../../blobstore/port.ts'
import type { Revision } from '../../domain/change.ts'
import type { Hash, Kind } from '../../domain/content.ts'
import type { Version } from '../../domain/decide/view.ts'
import type { FileId, FolderId } from '../../domain/events.ts'
import type { SyncPath } from '../../domain/path.ts'
import { bytesOf } from './write.ts'

/** What a path may have held. */
export interface Held {
  readonly kind: Kind
  readonly hash: Hash
}

/** The questions that the following projections answer, as far as they have followed. */
export interface FollowReads extends PackIndex {
  /** Whether a version in the folder names the chunk. */
  namesChunk(folder: FolderId, hash: Hash): boolean
  /** The version that the event at `revision` made. */
  versionAt(folder: FolderId, revision: Revision): Version | undefined
  /** Whether the path has held it at `since` or later (-1: ever). */
  held(folder: FolderId, path: SyncPath, since: Revision, content: Held): boolean
}

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

/** Reads the tables, on any connection to their database. */
export const readFollowTables = (db: DatabaseSync): FollowReads => {
  const place = db.prepare('SELECT name, offset, size FROM chunks JOIN packs ON packs.id = pack WHERE hash = ?')
  const folder = 'folder = (SELECT id FROM folders WHERE folder = ?)'
  const names = db.prepare(`SELECT 1 FROM folder_chunks WHERE ${folder} AND hash = ?`)
  const version = db.prepare(`SELECT path, file_id, kind, hash FROM history WHERE ${folder} AND revision = ? AND hash IS NOT NULL`)
  const held = db.prepare(`SELECT 1 FROM history WHERE ${folder} AND path = ? AND revision >= ? AND hash = ? AND kind = ?`)
  return {
    find: (hash) => {
      // The columns that the statement names, and so below.
      const row = place.get(bytesOf(hash)) as unknown as PlaceRow | undefined
      return row && { pack: row.name, offset: row.offset, size: row.size }
    },
    namesChunk: (id, hash) => names.get(id, bytesOf(hash)) !== undefined,
    versionAt: (id, revision) => {
      const row = version.get(id, revision) as unknown as VersionRow | undefined
      // Hex of 32 bytes is a Hash.
      return row && { path: row.path, fileId: row.file_id, kind: row.kind, hash: Buffer.from(row.hash).toString('hex') as Hash }
    },
    held: (id, path, since, content) => held.get(id, path, since, bytesOf(content.hash), content.kind) !== undefined,
  }
}
