import type { DatabaseSync } from 'node:sqlite'
import { transaction } from '../../lib/sqlite.ts'

/** Grows with the tables' form or the fold's meaning: a database of another version is emptied, and filled again from the log. */
const VERSION = 4

const TABLES = [
  'follow_checkpoint',
  'packs',
  'chunks',
  'gone',
  'retired',
  'folders',
  'folder_chunks',
  'history',
  'paths',
  'event_types',
  'senders',
  'positions',
  'accounts',
  'agents',
]

// Hashes are 32 bytes; packs and folders have small numbers here: these tables have a row for every chunk that there ever was. `history`
// has one for every event of a folder, by the number that `event-key.ts` makes of its folder and revision; `paths` has one for every path
// that an event touched, `live` where it holds something from then on.
const SCHEMA = `
  CREATE TABLE follow_checkpoint (position_order TEXT NOT NULL, token TEXT NOT NULL, chain TEXT NOT NULL);
  CREATE TABLE packs (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE chunks (hash BLOB PRIMARY KEY, pack INTEGER NOT NULL, offset INTEGER NOT NULL, size INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE gone (hash BLOB PRIMARY KEY, time INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE retired (object TEXT PRIMARY KEY, removed INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
  CREATE INDEX retired_unfinished ON retired (object) WHERE removed = 0;
  CREATE TABLE folders (id INTEGER PRIMARY KEY, folder TEXT NOT NULL UNIQUE, account TEXT, name TEXT);
  CREATE TABLE folder_chunks (folder INTEGER NOT NULL, hash BLOB NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (folder, hash)) WITHOUT ROWID;
  CREATE TABLE event_types (id INTEGER PRIMARY KEY, type TEXT NOT NULL UNIQUE);
  CREATE TABLE senders (id INTEGER PRIMARY KEY, sender TEXT NOT NULL UNIQUE, account TEXT, agent TEXT, proof TEXT);
  CREATE TABLE history (
    id INTEGER PRIMARY KEY, type INTEGER NOT NULL, sender INTEGER NOT NULL, time INTEGER NOT NULL, moment INTEGER NOT NULL, client_time REAL,
    path TEXT, moved_from TEXT, file, kind INTEGER, executable INTEGER, size INTEGER, hash BLOB, modified, detail TEXT
  );
  CREATE INDEX history_by_file ON history (file) WHERE file IS NOT NULL;
  CREATE TABLE paths (
    folder INTEGER NOT NULL, path TEXT NOT NULL, revision INTEGER NOT NULL, live INTEGER NOT NULL, PRIMARY KEY (folder, path, revision)
  ) WITHOUT ROWID;
  CREATE TABLE positions (agent TEXT NOT NULL, folder TEXT NOT NULL, position INTEGER NOT NULL, chain TEXT NOT NULL, PRIMARY KEY (agent, folder)) WITHOUT ROWID;
  CREATE TABLE accounts (account TEXT PRIMARY KEY, email TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE agents (agent TEXT PRIMARY KEY, account TEXT NOT NULL, name TEXT NOT NULL) WITHOUT ROWID;
  PRAGMA user_version = ${VERSION};
`

const remake = (db: DatabaseSync): void => {
  for (const table of TABLES) db.exec(`DROP TABLE IF EXISTS ${table}`)
  db.exec(SCHEMA)
}

/** Whether the tables are there, in this version's form. */
export const isMigrated = (db: DatabaseSync): boolean => Number(db.prepare('PRAGMA user_version').get()?.['user_version']) === VERSION

/** Makes the tables where there are none of this version. The database is the projections' own. */
export const migrateFollow = (db: DatabaseSync): void =>
  transaction(db, () => {
    if (!isMigrated(db)) remake(db)
  })

/** Forgets everything: the log that it was folded from is not the one that is there now. */
export const emptyFollow = (db: DatabaseSync): void =>
  transaction(db, () => {
    for (const table of TABLES) db.exec(`DELETE FROM ${table}`)
  })
