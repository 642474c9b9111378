import type { DatabaseSync } from 'node:sqlite'
import { transaction } from '../../lib/sqlite.ts'

/** Grows with the tables' form or the folds' meaning: tables of another version are made anew from the log. */
const VERSION = 1

const TABLES = ['state_version', 'state_checkpoint', 'heads', 'folders', 'tree', 'accounts', 'agents', 'senders', 'messages']

// A folder has a small number here, which keeps the tree's indexes small. Tombstones stay, since a Sync must tell of them; what lives has
// an index of its own, so that looking into a folder does not wade through all that was ever deleted in it.
const SCHEMA = `
  CREATE TABLE state_version (version INTEGER NOT NULL);
  INSERT INTO state_version VALUES (${VERSION});
  CREATE TABLE state_checkpoint (position_order TEXT NOT NULL, token TEXT NOT NULL);
  CREATE TABLE heads (stream TEXT PRIMARY KEY, revision INTEGER NOT NULL, chain TEXT NOT NULL, signed INTEGER NOT NULL DEFAULT -1) WITHOUT ROWID;
  CREATE INDEX heads_unsigned ON heads (stream) WHERE signed < revision;
  CREATE TABLE folders (id INTEGER PRIMARY KEY, folder TEXT NOT NULL UNIQUE, account TEXT NOT NULL, name TEXT NOT NULL);
  CREATE INDEX folders_by_account ON folders (account);
  CREATE TABLE tree (
    id INTEGER PRIMARY KEY, folder INTEGER NOT NULL, path TEXT NOT NULL, revision INTEGER NOT NULL, file_id TEXT NOT NULL, content TEXT, moved_to TEXT
  );
  CREATE UNIQUE INDEX tree_by_path ON tree (folder, path);
  CREATE INDEX tree_live ON tree (folder, path) WHERE content IS NOT NULL;
  CREATE INDEX tree_by_revision ON tree (folder, revision);
  CREATE INDEX tree_by_file ON tree (folder, file_id) WHERE content IS NOT NULL;
  CREATE TABLE accounts (account TEXT PRIMARY KEY, email TEXT NOT NULL, verifier TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE agents (
    key TEXT PRIMARY KEY, account TEXT NOT NULL, name TEXT NOT NULL, public_key TEXT, registered INTEGER NOT NULL, revoked INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX agents_by_account ON agents (account);
  CREATE TABLE senders (id INTEGER PRIMARY KEY, agent TEXT NOT NULL, folder TEXT NOT NULL, epoch TEXT NOT NULL, latest INTEGER NOT NULL);
  CREATE UNIQUE INDEX senders_by_name ON senders (agent, folder, epoch);
  CREATE TABLE messages (
    sender INTEGER NOT NULL, number INTEGER NOT NULL, root TEXT NOT NULL, position INTEGER NOT NULL, outcomes TEXT NOT NULL, PRIMARY KEY (sender, number)
  ) WITHOUT ROWID;
`

const versionOf = (db: DatabaseSync): number | undefined => {
  const known = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'state_version'").get()
  return known === undefined ? undefined : Number(db.prepare('SELECT version FROM state_version').get()?.['version'])
}

const remake = (db: DatabaseSync): void => {
  for (const table of TABLES) db.exec(`DROP TABLE IF EXISTS ${table}`)
  db.exec(SCHEMA)
}

/** For a state that was folded from another log. */
export const emptyState = (db: DatabaseSync): void => transaction(db, () => remake(db))

/** Makes the tables where there are none; empties them where another version of EventSync made them, since the log fills them again. */
export const migrateState = (db: DatabaseSync): void =>
  transaction(db, () => {
    if (versionOf(db) !== VERSION) remake(db)
  })
