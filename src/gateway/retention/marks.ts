import type { DatabaseSync } from 'node:sqlite'
import type { Hash } from '../../domain/content.ts'
import type { FileEvent, FileId, FolderId } from '../../domain/events.ts'
import { transaction } from '../../lib/sqlite.ts'
import type { RetentionPolicy } from './policy.ts'

/**
 * What a run knows of the log, in a database of its own that is made anew for each: which versions stay, and which chunks those name. On disk, since
 * neither has a bound (I16).
 */
export interface Marks {
  /** First pass: `at` is the gateway's clock at the event, in milliseconds. Files of folders that the policy is not about are not asked for. */
  see(folder: FolderId, event: FileEvent, revision: number, at: number): void
  /** After the first pass: whether the version that the event at `revision` made stays. */
  isKept(folder: FolderId, event: FileEvent, revision: number): boolean
  /** Second pass: these chunks are needed. */
  name(hashes: readonly Hash[]): void
  isLive(hash: Hash): boolean
  /** Writes many things at once. */
  together(write: () => void): void
}

const SCHEMA = `
  CREATE TABLE current (folder TEXT NOT NULL, file TEXT NOT NULL, revision INTEGER NOT NULL, PRIMARY KEY (folder, file)) WITHOUT ROWID;
  CREATE TABLE older (folder TEXT NOT NULL, file TEXT NOT NULL, revision INTEGER NOT NULL, PRIMARY KEY (folder, file, revision)) WITHOUT ROWID;
  CREATE TABLE kept (folder TEXT NOT NULL, revision INTEGER NOT NULL, PRIMARY KEY (folder, revision)) WITHOUT ROWID;
  CREATE TABLE weighed (pack TEXT PRIMARY KEY, live_bytes INTEGER NOT NULL, dead INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE leaving (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, bytes INTEGER NOT NULL);
  CREATE TABLE retiring (hash BLOB NOT NULL, object INTEGER NOT NULL, PRIMARY KEY (object, hash)) WITHOUT ROWID;
  CREATE TABLE live (hash BLOB PRIMARY KEY) WITHOUT ROWID;
`

const bytesOf = (hash: Hash): Buffer => Buffer.from(hash, 'hex')

/** On an empty database, or on one that another connection has marked. */
export const openMarks = (db: DatabaseSync, { keepVersions }: Pick<RetentionPolicy, 'keepVersions'>, cutoff: number): Marks => {
  if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'live'").get() === undefined) db.exec(SCHEMA)
  const current = db.prepare('SELECT revision FROM current WHERE folder = ? AND file = ?')
  const setCurrent = db.prepare(
    'INSERT INTO current VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET revision = max(revision, excluded.revision)',
  )
  const unset = db.prepare('DELETE FROM current WHERE folder = ? AND file = ?')
  const keep = db.prepare('INSERT INTO kept VALUES (?, ?) ON CONFLICT DO NOTHING')
  const add = db.prepare('INSERT INTO older VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
  const trim = db.prepare(
    `DELETE FROM older WHERE folder = ?1 AND file = ?2 AND revision <= (SELECT revision FROM older WHERE folder = ?1 AND file = ?2 ORDER BY revision DESC LIMIT 1 OFFSET ${keepVersions})`,
  )
  const newest = db.prepare('SELECT count(*) AS newer FROM older WHERE folder = ? AND file = ? AND revision > ?')
  const isOlder = db.prepare('SELECT 1 FROM older WHERE folder = ? AND file = ? AND revision = ?')
  const kept = db.prepare('SELECT 1 FROM kept WHERE folder = ? AND revision = ?')
  const live = db.prepare('INSERT INTO live VALUES (?) ON CONFLICT DO NOTHING')
  const isLive = db.prepare('SELECT 1 FROM live WHERE hash = ?')
  const revisionOf = (folder: FolderId, file: FileId): number | undefined => {
    const found = current.get(folder, file)?.['revision']
    return found === undefined ? undefined : Number(found)
  }
  const pass = (folder: FolderId, file: FileId, revision: number, at: number): void => {
    if (at >= cutoff) keep.run(folder, revision)
    if (keepVersions === 0) return
    add.run(folder, file, revision)
    trim.run(folder, file)
  }
  /** A current version is one of the newest. */
  const isAmongNewest = (folder: FolderId, file: FileId, revision: number): boolean => {
    if (keepVersions === 0 || isOlder.get(folder, file, revision) === undefined) return false
    const newer = Number(newest.get(folder, file, revision)?.['newer']) + (revisionOf(folder, file) === undefined ? 0 : 1)
    return newer < keepVersions
  }
  return {
    together: (write) => transaction(db, write),
    see: (folder, event, revision, at) => {
      const before = revisionOf(folder, event.fileId)
      if (before !== undefined) pass(folder, event.fileId, before, at)
      if (event.type === 'FileDeleted') unset.run(folder, event.fileId)
      else setCurrent.run(folder, event.fileId, revision)
    },
    isKept: (folder, { fileId }, revision) =>
      revisionOf(folder, fileId) === revision || kept.get(folder, revision) !== undefined || isAmongNewest(folder, fileId, revision),
    name: (hashes) => {
      for (const hash of hashes) live.run(bytesOf(hash))
    },
    isLive: (hash) => isLive.get(bytesOf(hash)) !== undefined,
  }
}
