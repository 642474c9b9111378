import { parentPort, workerData } from 'node:worker_threads'
import type { DatabaseSync } from 'node:sqlite'
import * as E from 'fp-ts/lib/Either.js'
import { createBlobStore } from '../blobstore/chunk-store.ts'
import type { LogPosition, ReadError, RecordedEvent } from '../eventlog/port.ts'
import { openDatabase } from '../lib/sqlite.ts'
import { compareTables, FOLLOW_TABLES, STATE_TABLES, type Compared } from '../projections/compare.ts'
import { readFollowTables } from '../projections/follow/read.ts'
import { followToEnd, type FollowSource } from '../projections/follow/runner.ts'
import { openFollowTables } from '../projections/follow/write.ts'
import type { Stopped } from '../projections/port.ts'
import { openState } from '../projections/state/state.ts'
import { openFollowSource } from './follow-source.ts'
import type { FollowFiles } from './follow-worker.ts'
import { openObjectStore, storeTrouble } from './object-store.ts'

/** One projection, the file in which it lives, and the file in which it is made anew. */
export interface ReplayFiles extends Omit<FollowFiles, 'projections'> {
  readonly projection: 'state' | 'follow'
  readonly live: string
  readonly fresh: string
  /** The place in the log up to which it is made; undefined: to the end, and compared with the live one. */
  readonly until: bigint | undefined
}

export type FromReplay =
  | { readonly tag: 'progress'; readonly events: number }
  | { readonly tag: 'done'; readonly events: number; readonly compared: Compared }
  | { readonly tag: 'failed'; readonly reason: string }

const CACHE_MIB = 32
const PAGE = 4096
/** A gateway that shares its log may be a moment ahead of its own checkpoint: then what came is folded in, and it is compared again. */
const LOOKS = 3

// `replay` gives it just this.
const { projection, live: liveFile, fresh: freshFile, until, objects, store: storeConfig, ...files } = workerData as ReplayFiles
const port = parentPort
if (port === null) throw new Error('this module is a worker thread')
const tell = (message: FromReplay): void => port.postMessage(message)

const checkpointOf = (db: DatabaseSync): LogPosition | undefined => {
  const row = db.prepare(`SELECT position_order, token FROM ${projection === 'state' ? 'state_checkpoint' : 'follow_checkpoint'}`).get()
  return row && { order: BigInt(String(row['position_order'])), token: String(row['token']) }
}

let events = 0
/** The log up to a place in it. */
const upTo = (source: FollowSource, last: bigint): FollowSource => ({
  ...source,
  page: async (after, max) => {
    const page = await source.page(after, max)
    if (E.isLeft(page)) return page
    const taken = page.right.filter(({ position }) => position.order <= last)
    events += taken.length
    tell({ tag: 'progress', events })
    return E.right(taken)
  },
})

type Fold = (source: FollowSource) => Promise<E.Either<ReadError | Stopped, void>>

const stateFold = (db: DatabaseSync): Fold => {
  const state = openState(db)
  return async (source) => {
    for (;;) {
      const page: E.Either<ReadError, readonly RecordedEvent[]> = await source.page(state.checkpoint(), PAGE)
      if (E.isLeft(page)) return page
      if (page.right.length === 0) return E.right(undefined)
      const applied = state.applyNext(page.right)
      if (E.isLeft(applied)) return applied
    }
  }
}

const run = async (parts: AsyncDisposableStack): Promise<FromReplay> => {
  const open = (file: string, readOnly: boolean): DatabaseSync =>
    parts.adopt(openDatabase(file, { synchronous: 'OFF', readOnly, cacheMiB: CACHE_MIB }), (db) => db.close())
  const [live, fresh] = [open(liveFile, true), open(freshFile, false)]
  const tables = openFollowTables
  const follow = projection === 'follow' ? tables(fresh) : undefined
  const store = await openObjectStore(storeConfig, objects)()
  if (E.isLeft(store)) return { tag: 'failed', reason: storeTrouble(storeConfig, objects, store.left) }
  const index =
    follow === undefined
      ? { find: () => undefined, isGone: () => false, isRetired: () => false, together: <A>(ask: () => A): A => ask() }
      : readFollowTables(fresh)
  const source = await openFollowSource(files, createBlobStore(parts.use(store.right), index), parts)
  const fold: Fold = follow === undefined ? stateFold(fresh) : (from) => followToEnd(from, follow)
  if (until !== undefined) {
    const folded = await fold(upTo(source, until))
    return E.isLeft(folded)
      ? { tag: 'failed', reason: folded.left.reason }
      : { tag: 'done', events, compared: { rows: {}, differences: [] } }
  }
  for (let look = 1; ; look += 1) {
    // One state of the live tables, whatever a running gateway writes meanwhile.
    live.exec('BEGIN')
    const last = checkpointOf(live)
    const folded = await fold(upTo(source, last?.order ?? -1n))
    if (E.isLeft(folded)) return { tag: 'failed', reason: folded.left.reason }
    const compared = compareTables(live, fresh, projection === 'state' ? STATE_TABLES : FOLLOW_TABLES)
    live.exec('COMMIT')
    if (compared.differences.length === 0 || look === LOOKS) return { tag: 'done', events, compared }
  }
}

await using parts = new AsyncDisposableStack()
tell(await run(parts))
