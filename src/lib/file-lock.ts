import { DatabaseSync } from 'node:sqlite'
import * as E from 'fp-ts/lib/Either.js'

export type LockError = { readonly tag: 'Held' } | { readonly tag: 'Unusable'; readonly reason: string }

const SQLITE_BUSY = 5

/**
 * Holds a file exclusively until disposed or until the process ends, however it ends: the lock is SQLite's own on an empty database, which the
 * system drops with the process (so a kill -9 leaves nothing behind to clear away).
 */
export const lockFile = (file: string): E.Either<LockError, Disposable> => {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file, { timeout: 0 })
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    const held = database
    return E.right({ [Symbol.dispose]: () => held.close() })
  } catch (error) {
    if (database?.isOpen === true) database.close()
    return E.left(lockError(error))
  }
}

const lockError = (error: unknown): LockError => {
  if (!(error instanceof Error)) throw error
  const busy = 'errcode' in error && error.errcode === SQLITE_BUSY
  return busy ? { tag: 'Held' } : { tag: 'Unusable', reason: error.message }
}
