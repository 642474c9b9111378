import { DatabaseSync } from 'node:sqlite'

export interface DatabaseOptions {
  /** What a commit waits for: FULL survives a power cut; NORMAL may lose the last commits then; OFF may damage the file: only for what is rebuilt. */
  readonly synchronous: 'FULL' | 'NORMAL' | 'OFF'
  /** The file must be there; nothing is written to it. */
  readonly readOnly?: boolean
  /** Memory for the pages that it looks at and writes again and again; SQLite's own is 2 MiB. */
  readonly cacheMiB?: number
}

/** How long a statement waits for another connection's lock, the recovery at opening included. */
const BUSY_TIMEOUT_MS = 5000
/** Pages (of 4 KiB) in the write-ahead log before it is moved into the database: bulk loads gain a third over SQLite's default of 1,000. */
const WAL_AUTOCHECKPOINT_PAGES = 16_384

/**
 * Opens an SQLite database in WAL mode; `:memory:` makes a private one. The only place that does: every connection gets the busy
 * timeout before its first statement, since two connections that open one file at once meet in its recovery. Throws where it can't.
 */
export const openDatabase = (file: string, { synchronous, readOnly = false, cacheMiB }: DatabaseOptions): DatabaseSync => {
  const db = new DatabaseSync(file, { readOnly, timeout: BUSY_TIMEOUT_MS })
  try {
    if (cacheMiB !== undefined) db.exec(`PRAGMA cache_size = ${-1024 * cacheMiB}`)
    if (readOnly) return db
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA wal_autocheckpoint = ${WAL_AUTOCHECKPOINT_PAGES}`)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * Runs `fn`, which only reads, over one state of the database. Each statement alone takes and returns the database's locks, which costs more
 * than a look-up does: so many look-ups belong together. `fn` must not be asynchronous.
 */
export const reading = <A>(db: DatabaseSync, fn: () => A): A => {
  if (inTransaction(db)) return fn()
  db.exec('BEGIN')
  try {
    return fn()
  } finally {
    if (inTransaction(db)) db.exec('COMMIT')
  }
}

const inTransaction = (db: DatabaseSync): boolean => db.isTransaction

/**
 * Runs `fn` in one transaction that takes the write lock at its start: all of it is kept, or, where it throws, nothing. Inside
 * another transaction of the same connection it is a part of that one. `fn` must not be asynchronous.
 */
export const transaction = <A>(db: DatabaseSync, fn: () => A): A => {
  if (inTransaction(db)) return fn()
  db.exec('BEGIN IMMEDIATE')
  try {
    const result = fn()
    db.exec('COMMIT')
    return result
  } catch (error) {
    // SQLite has already rolled back by itself after some errors (full disk, I/O).
    if (inTransaction(db)) db.exec('ROLLBACK')
    throw error
  }
}

const SQLITE_FULL = 13
/** What the machine or another process did, not the caller: BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, CORRUPT, CANTOPEN, PROTOCOL, NOTADB. */
const OUTSIDE = new Set([5, 6, 7, 8, 9, 10, 11, 14, 15, 26])

/**
 * What a thrown error says of the database: its disk is full, or it can't be used (locked, damaged, failing disk, closed). Undefined:
 * no such thing, so a mistake in the program.
 */
export const databaseFailure = (error: unknown): 'full' | 'unavailable' | undefined => {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  if (error.code === 'ERR_INVALID_STATE') return 'unavailable'
  if (error.code !== 'ERR_SQLITE_ERROR' || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  // The low byte is the primary code; the rest tells more of it.
  const primary = error.errcode & 0xff
  if (primary === SQLITE_FULL) return 'full'
  return OUTSIDE.has(primary) ? 'unavailable' : undefined
}

/** CORRUPT, NOTADB, and IOERR: what is damaged on the disk. */
const DAMAGED = new Set([10, 11, 26])

/** Whether a thrown error says that the file is damaged at the place that was read. */
export const isDamage = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && DAMAGED.has(error.errcode & 0xff)
