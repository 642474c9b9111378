import type { DatabaseSync } from 'node:sqlite'
import { IGNORE_FILE } from '../ignore-rules.ts'

const VERSION = 1

/**
 * One row a path. `state` holds two bits: 1, the disk differs from base; 2, the log does. Rows of state 0 are in sync and cost
 * nothing to plan. `piece` lists the chunks of local files that have more than one.
 */
const SCHEMA = `
  CREATE TABLE node (
    path TEXT PRIMARY KEY, parent TEXT NOT NULL, local TEXT, base TEXT, remote TEXT,
    hash TEXT, base_hash TEXT, want_hash TEXT, state INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX node_parent ON node (parent) WHERE local IS NOT NULL;
  CREATE INDEX node_open ON node (path) WHERE state > 0;
  CREATE INDEX node_hash ON node (hash) WHERE hash IS NOT NULL;
  CREATE INDEX node_gone ON node (base_hash) WHERE local IS NULL AND base_hash IS NOT NULL;
  CREATE INDEX node_want ON node (want_hash) WHERE want_hash IS NOT NULL;
  CREATE TABLE piece (path TEXT NOT NULL, offset INTEGER NOT NULL, size INTEGER NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (path, offset)) WITHOUT ROWID;
  CREATE INDEX piece_hash ON piece (hash);
  CREATE TABLE past (path TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (path, hash)) WITHOUT ROWID;
  CREATE TABLE outbox (number INTEGER PRIMARY KEY, message TEXT NOT NULL, outcomes TEXT, position INTEGER);
  CREATE TABLE grave (name TEXT PRIMARY KEY, path TEXT NOT NULL, seen TEXT NOT NULL, content TEXT NOT NULL, round INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE held (path TEXT PRIMARY KEY, approved INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE receipt (number INTEGER PRIMARY KEY, receipt TEXT NOT NULL);
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`

/** Names that conflict copies, and ignore files, have a part of: written so that their indexes are used wherever a query says the same. */
export const MAYBE_CONFLICT = "instr(path, ' (conflict ') > 0"
export const MAYBE_RULES = `instr(path, '${IGNORE_FILE}') > 0`

/** A start, and each look at the status, ask for these few paths: a database of an earlier version gets the indexes, too. */
const RARE_NAMES = `
  CREATE INDEX IF NOT EXISTS node_conflict ON node (path) WHERE ${MAYBE_CONFLICT};
  CREATE INDEX IF NOT EXISTS node_rules ON node (path) WHERE ${MAYBE_RULES};
`

/** Makes the tables in a new database; throws where a newer version of EventSync wrote it. */
export const prepareSchema = (db: DatabaseSync): void => {
  // The pragma's row has this one column.
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  if (version > VERSION) throw new Error(`the index was written by a newer version of EventSync (schema ${version}); update this one`)
  if (version === 0) db.exec(`BEGIN; ${SCHEMA} PRAGMA user_version = ${VERSION}; COMMIT`)
  db.exec(RARE_NAMES)
}
