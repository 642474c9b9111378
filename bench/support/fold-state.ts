import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { openSqliteLogReader } from '../../src/eventlog/sqlite.ts'
import { openDatabase } from '../../src/lib/sqlite.ts'
import { openState } from '../../src/projections/state/state.ts'

const PAGE = 4096

/** Folds a gateway's log into the state that it would have kept beside it, durable or not. */
export const foldState = (data: string): void => {
  const file = join(data, 'log.db')
  using db = openDatabase(file, { synchronous: 'OFF', cacheMiB: 64 })
  using log = openSqliteLogReader(file)
  const state = openState(db)
  for (let page = log.readAllSync(0n, PAGE); page.length > 0; page = log.readAllSync(page.at(-1)?.position.order ?? 0n, PAGE)) {
    const applied = state.applyNext(page)
    if (E.isLeft(applied)) throw new Error(applied.left.reason)
  }
}
