import { rmSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import * as E from 'fp-ts/lib/Either.js'
import { databaseFailure, openDatabase } from '../lib/sqlite.ts'
import { fail, type Outcome } from './failure.ts'

/** What opening a database throws (a newer version, damage, a full disk), told as a person needs it. */
export const opening = <A>(file: string, open: () => A): Outcome<A> => {
  try {
    return E.right(open())
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const failure = databaseFailure(error)
    if (failure === 'full') return fail('failed', `${file} cannot be opened: its disk is full (${error.message})`)
    if (failure === 'unavailable') return fail('damaged', `${file} is damaged, or cannot be read: ${error.message}`)
    return fail('failed', `${file} cannot be opened: ${error.message}`)
  }
}

const isWhole = (db: DatabaseSync): boolean => db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'] === 'ok'

const CACHE_MIB = 16

/** Opens what can be made again from elsewhere, and makes it anew where it is damaged. */
export const openRebuildable = (file: string): DatabaseSync => {
  try {
    const db = openDatabase(file, { synchronous: 'NORMAL', cacheMiB: CACHE_MIB })
    if (isWhole(db)) return db
    db.close()
  } catch (error) {
    if (databaseFailure(error) !== 'unavailable') throw error
  }
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true })
  return openDatabase(file, { synchronous: 'NORMAL', cacheMiB: CACHE_MIB })
}
