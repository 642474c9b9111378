import type { DatabaseSync } from 'node:sqlite'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import * as E from 'fp-ts/lib/Either.js'
import type { FolderId } from '../../domain/events.ts'
import { databaseFailure, reading } from '../../lib/sqlite.ts'
import { changeReads } from './changes.ts'
import { eventKey, lastKey, revisionOf } from './event-key.ts'
import { eventReads } from './events.ts'
import type { HistoryError, HistoryReads, NamedAccount, NamedAgent, NamedFolder, Names } from './port.ts'
import { prepared } from './rows.ts'
import { touchedReads, treeReads } from './tree.ts'

/** Entries of the index that one page looks at: some 20 ms of work. */
export const LOOK = 20_000

const asking =
  <A>(db: DatabaseSync, ask: () => A): TE.TaskEither<HistoryError, A> =>
  async () => {
    try {
      return E.right(reading(db, ask))
    } catch (error) {
      if (databaseFailure(error) === undefined) throw error
      return E.left({ tag: 'Unavailable', reason: `the history index: ${String(error)}` })
    }
  }

/** Reads the history index on any connection to its database. */
export const readHistory = (db: DatabaseSync, look: number = LOOK): HistoryReads => {
  const numbers = db.prepare('SELECT id FROM folders WHERE folder = ?')
  const last = prepared(db, 'SELECT id FROM history WHERE id <= ? ORDER BY id DESC LIMIT 1')
  const moment = prepared(db, 'SELECT moment FROM history WHERE id = ?')
  const [events, touched, tree, changes] = [eventReads(db, look), touchedReads(db), treeReads(db, look), changeReads(db, look)]
  const headOf = (number: number): number => {
    // The one column.
    const row = last.get(lastKey(number, Infinity)) as unknown as [number] | undefined
    return row === undefined || row[0] < eventKey(number, 0) ? -1 : revisionOf(row[0])
  }
  const momentAt = (number: number, revision: number): number =>
    (moment.get(eventKey(number, revision)) as unknown as [number] | undefined)?.[0] ?? Infinity
  const ask = <A>(folder: FolderId, none: A, answer: (number: number) => A): TE.TaskEither<HistoryError, A> =>
    asking(db, () => {
      const number = numbers.get(folder)?.['id']
      return number === undefined ? none : answer(Number(number))
    })
  return {
    head: (folder) => ask(folder, -1, headOf),
    revisionAt: (folder, time) => ask(folder, -1, (number) => lastBefore(headOf(number), (revision) => momentAt(number, revision) <= time)),
    events: (folder, query) =>
      ask(folder, { events: [], next: undefined }, (number) => events(folder, number, within(query, headOf(number)))),
    touched: (folder, path, at) => ask(folder, undefined, (number) => touched(folder, number, path, at)),
    tree: (folder, at, after, max) => ask(folder, { entries: [], next: undefined }, (number) => tree(folder, number, at, after, max)),
    changes: (folder, between, after, max) =>
      ask(folder, { changes: [], next: undefined }, (number) => changes(folder, number, between, after, max)),
  }
}

const within = <A extends { readonly from: number; readonly to: number }>(query: A, head: number): A => ({
  ...query,
  from: Math.max(0, query.from),
  to: Math.min(query.to, head),
})

/** The last revision up to `head` for which it is so; it is so for all before it. */
const lastBefore = (head: number, isSo: (revision: number) => boolean): number => {
  let [low, high] = [-1, head]
  while (low < high) {
    const middle = low + Math.ceil((high - low) / 2)
    if (isSo(middle)) low = middle
    else high = middle - 1
  }
  return low
}

/** The names of folders, agents and accounts, on any connection to the projections' database. */
export const readNames = (db: DatabaseSync): Names => {
  const [folders, agents, accounts] = [
    db.prepare('SELECT folder, account, name FROM folders WHERE name IS NOT NULL ORDER BY id'),
    db.prepare('SELECT agent, account, name FROM agents ORDER BY agent'),
    db.prepare('SELECT account, email FROM accounts ORDER BY account'),
  ]
  // Each names its own columns, of what `write-history.ts` wrote.
  return {
    folders: () => asking(db, () => folders.all() as unknown as readonly NamedFolder[]),
    agents: () => asking(db, () => agents.all() as unknown as readonly NamedAgent[]),
    accounts: () => asking(db, () => accounts.all() as unknown as readonly NamedAccount[]),
  }
}
