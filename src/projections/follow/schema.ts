import type { DatabaseSync } from 'node:sqlite'
import { transaction } from '../../lib/sqlite.ts'

/** Grows with the tables' form or the fold's meaning: a database of another version is emptied, and filled again from the log. */
const VERSION = 3

const TABLES = ['follow_checkpoint', 'packs', 'chunks', 'gone', 'retired', 'folders', 'folder_chunks', 'history', 'positions']

// Hashes are 32 bytes; packs and folders have small numbers here: these tables have a row for every chunk that there ever was.
const SCHEMA = `
  CREATE TABLE follow_checkpoint (position_order TEXT NOT NULL, token TEXT NOT NULL, chain TEXT NOT NULL);
  CREATE TABLE packs (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE chunks (hash BLOB PRIMARY KEY, pack INTEGER NOT NULL, offset INTEGER NOT NULL, size INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE gone (hash BLOB PRIMARY KEY, time INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE retired (object TEXT PRIMARY KEY, removed INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
  CREATE INDEX retired_unfinished ON retired (object) WHERE removed = 0;
  CREATE TABLE folders (id INTEGER PRIMARY KEY, folder TEXT NOT NULL UNIQUE);
  CREATE TABLE folder_chunks (folder INTEGER NOT NULL, hash BLOB NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (folder, hash)) WITHOUT ROWID;
  CREATE TABLE history (
    folder INTEGER NOT NULL, path TEXT NOT NULL, revision INTEGER NOT NULL, file_id TEXT NOT NULL, type TEXT NOT NULL, kind TEXT, hash BLOB, agent TEXT,
    PRIMARY KEY (folder, path, revision)
  ) WITHOUT ROWID;
  CREATE INDEX history_by_revision ON history (folder, revision);
  CREATE TABLE positions (agent TEXT NOT NULL, folder TEXT NOT NULL, position INTEGER NOT NULL, chain TEXT NOT NULL, PRIMARY KEY (agent, folder)) WITHOUT ROWID;
  PRAGMA user_version = ${VERSION};
`

const remake = (db: DatabaseSync): void => {
  for (const table of TABLES) db.exec(`DROP TABLE IF EXISTS ${table}`)
  db.exec(SCHEMA)
}

/** Makes the tables where there are none of this version. The database is the projections' own. */
export const migrateFollow = (db: DatabaseSync): void =>
  transaction(db, () => {
    if (Number(db.prepare('PRAGMA user_version').get()?.['user_version']) !== VERSION) remake(db)
  })

/** Forgets everything: the log that it was folded from is not the one that is there now. */
export const emptyFollow = (db: DatabaseSync): void =>
  transaction(db, () => {
    for (const table of TABLES) db.exec(`DELETE FROM ${table}`)
  })
