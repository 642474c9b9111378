import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Content } from '../../domain/content.ts'
import type { FileId, FolderId, TreeEntry } from '../../domain/events.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { FolderTree } from '../port.ts'

export interface TreeTables {
  /** A folder that is not known has an empty tree. */
  readonly of: (folder: FolderId) => FolderTree
  /** How to write a folder's tree, once it has been created. */
  readonly writer: (folder: FolderId) => (entries: readonly TreeEntry[]) => void
}

type Row = [path: SyncPath, revision: number, fileId: FileId, content: string | null, movedTo: SyncPath | null]

const COLUMNS = 'path, revision, file_id, content, moved_to'

const toEntry = ([path, revision, fileId, content, movedTo]: Row): TreeEntry => ({
  path,
  revision,
  fileId,
  // Written by `put`, from a Content.
  content: content === null ? undefined : (JSON.parse(content) as Content),
  ...(movedTo === null ? {} : { movedTo }),
})

/** Rows as arrays: twice as quick to read as objects. */
const prepared = (db: DatabaseSync, sql: string): StatementSync => {
  const statement = db.prepare(sql)
  statement.setReturnArrays(true)
  return statement
}

// `setReturnArrays` is not in the types: each row is an array of the columns above.
const rows = (found: unknown): readonly Row[] => found as readonly Row[]
const row = (found: unknown): TreeEntry | undefined => (found === undefined ? undefined : toEntry(found as Row))

export const prepareTrees = (db: DatabaseSync): TreeTables => {
  const select = `SELECT ${COLUMNS} FROM tree WHERE folder = ?`
  const get = prepared(db, `${select} AND path = ?`)
  const live = prepared(db, `${select} AND file_id = ? AND content IS NOT NULL`)
  // '0' follows '/': these are the paths that begin with `path/`.
  const under = prepared(db, "SELECT path FROM tree WHERE folder = ? AND path > ? || '/' AND path < ? || '0' AND content IS NOT NULL")
  const at = prepared(db, `${select} AND revision = ?`)
  const since = prepared(db, `${select} AND revision > ? ORDER BY revision, content IS NOT NULL LIMIT ?`)
  const number = db.prepare('SELECT id FROM folders WHERE folder = ?')
  const put = db.prepare(
    `INSERT INTO tree (folder, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (folder, path) DO UPDATE SET ` +
      'revision = excluded.revision, file_id = excluded.file_id, content = excluded.content, moved_to = excluded.moved_to',
  )
  const numberOf = (folder: FolderId): number => Number(number.get(folder)?.['id'] ?? -1)
  const treeOf = (folder: number): FolderTree => ({
    get: (path) => row(get.get(folder, path)),
    live: (fileId) => row(live.get(folder, fileId)),
    hasLiveUnder: (path, gone) => {
      if (gone === undefined) return under.get(folder, path, path) !== undefined
      // Rows as arrays, of one column.
      for (const found of under.iterate(folder, path, path)) if (!gone((found as unknown as [SyncPath])[0])) return true
      return false
    },
    at: (revision) => rows(at.all(folder, revision)).map(toEntry),
    since: (position, max) => rows(since.all(folder, position, max)).map(toEntry),
  })
  return {
    of: (folder) => treeOf(numberOf(folder)),
    writer: (folder) => {
      const id = numberOf(folder)
      if (id < 0) throw new Error('a file event came before its folder was created')
      return (entries) => {
        for (const { path, revision, fileId, content, movedTo } of entries) {
          put.run(id, path, revision, fileId, content === undefined ? null : JSON.stringify(content), movedTo ?? null)
        }
      }
    },
  }
}
