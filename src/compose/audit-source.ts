import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { contentOf, type ContentError, type Contents } from '../audit/contents.ts'
import type { BlobStore, StoreError } from '../blobstore/port.ts'
import { createBlobStore } from '../blobstore/chunk-store.ts'
import type { GatewayConfig } from '../config.ts'
import { releasedSince } from '../domain/content.ts'
import type { FolderId } from '../domain/events.ts'
import type { Released } from '../domain/history.ts'
import { DATA_MARKER } from '../domain/path.ts'
import type { EventReader, StreamReader } from '../eventlog/port.ts'
import { openSqliteLogReader } from '../eventlog/sqlite.ts'
import { systemClock } from '../lib/clock.ts'
import { lockFile } from '../lib/file-lock.ts'
import { databaseFailure, openDatabase } from '../lib/sqlite.ts'
import { readFollowTables, type FollowTablesRead } from '../projections/follow/read.ts'
import { followToEnd } from '../projections/follow/runner.ts'
import { isMigrated } from '../projections/follow/schema.ts'
import { logSource } from '../projections/follow/sources.ts'
import { checkpointReader, openFollowTables } from '../projections/follow/write.ts'
import type { HistoryReads, Names } from '../projections/history/port.ts'
import { readHistory, readNames } from '../projections/history/reads.ts'
import { dataFiles, type DataFiles } from './data-directory.ts'
import { fail, type Outcome } from './failure.ts'
import { openObjectStore, storeTrouble } from './object-store.ts'
import { openRebuildable, opening } from './open-database.ts'

/** What audits read, wherever they are asked. */
export interface AuditSource extends AsyncDisposable {
  /** The gateway's signed word on where a folder's log stands, as a page; absent where its key is at hand. */
  readonly checkpoint?: (folder: FolderId) => Promise<Outcome<string>>
  readonly log: StreamReader
  readonly history: HistoryReads
  readonly names: Names
  readonly contents: Contents
}

/** The same on the gateway's side, and all that lies there: nothing is written but the index, where no gateway does that. */
export interface DataSource extends AuditSource {
  readonly log: EventReader
  readonly blobs: BlobStore
}

/** Told, now and then, how many events of the log are in the index. */
export type Progress = (events: number) => void

/** Opens a gateway's data, beside a running gateway or without one. */
export const openDataSource = async (config: GatewayConfig, progress: Progress): Promise<Outcome<DataSource>> => {
  const { data } = config
  if (!existsSync(join(data, DATA_MARKER))) return fail('usage', `${data} is not a gateway's data directory: name it with --data`)
  // As for the gateway: the log holds password verifiers, and the index who did what.
  process.umask(0o077)
  await using parts = new AsyncDisposableStack()
  const files = dataFiles(realpathSync(data))
  const log = await openReader(config.log, files.log, parts)
  if (E.isLeft(log)) return log
  const store = await openObjectStore(config.store, files.objects)()
  if (E.isLeft(store)) return fail('failed', storeTrouble(config.store, files.objects, store.left))
  const objects = parts.use(store.right)
  const caughtUp = await catchUp(files, log.right, (db) => createBlobStore(objects, readFollowTables(db)), progress)
  if (E.isLeft(caughtUp)) return caughtUp
  const db = opening(files.projections, () => openDatabase(files.projections, { synchronous: 'NORMAL', readOnly: true, cacheMiB: 32 }))
  if (E.isLeft(db)) return db
  parts.adopt(db.right, () => db.right.close())
  if (!isMigrated(db.right))
    return fail('failed', `the index in ${files.path} is of another version of EventSync: run the version that the gateway runs`)
  const tables = readFollowTables(db.right)
  const blobs = createBlobStore(objects, tables)
  const all = parts.move()
  return E.right({
    log: log.right,
    history: readHistory(db.right),
    names: readNames(db.right),
    contents: storedContents(log.right, blobs, tables),
    blobs,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  })
}

const storedContents = (log: EventReader, blobs: BlobStore, tables: FollowTablesRead): Contents => ({
  chunk: (_, __, { hash }) =>
    TE.mapLeft((error: StoreError): ContentError => {
      if (error.tag === 'Unavailable' || error.tag === 'Full') return { tag: 'Unavailable', reason: error.reason }
      const reason = error.tag === 'Damaged' ? `${error.name} is damaged: ${error.reason}` : `${error.name} is not there`
      return { tag: 'Gone', reason, released: tables.goneSince(hash) }
    })(blobs.get(hash)),
  released: (folder, versions) => async () => {
    const released: Released[] = []
    for (const version of tables.anyRetired() ? versions : []) {
      const content = await contentOf(log, folder, version)
      if (E.isLeft(content)) return content
      const time = content.right === undefined ? undefined : releasedSince(content.right, (hash) => tables.goneSince(hash))
      if (time !== undefined) released.push({ version, time })
    }
    return E.right(released)
  },
})

const openReader = async (config: GatewayConfig['log'], file: string, parts: AsyncDisposableStack): Promise<Outcome<EventReader>> => {
  if (config.tag === 'sqlite') {
    if (!existsSync(file)) return fail('usage', `there is no ${file}: name where the log is, as for the gateway (EVENTSYNC_LOG_URL)`)
    return opening(file, () => parts.use(openSqliteLogReader(file)))
  }
  const { openEventStoreLog } = await import('../eventlog/eventstoredb/log.ts')
  return opening('the event log', () => parts.use(openEventStoreLog({ address: config, sleep: systemClock.sleep })))
}

/** Whether the index has all that is in the log; a look at both ends, where the whole of it may be long. */
const isComplete = async ({ projections }: DataFiles, log: EventReader): Promise<boolean> => {
  try {
    using db = openDatabase(projections, { synchronous: 'NORMAL', readOnly: true })
    const checkpoint = isMigrated(db) ? checkpointReader(db)() : undefined
    if (checkpoint === undefined) return false
    const [there, after] = [await log.at(checkpoint.position)(), await log.readAll(checkpoint.position, 1)()]
    return E.isRight(there) && there.right?.chain === checkpoint.chain && E.isRight(after) && after.right.length === 0
  } catch (error) {
    // Not there, or damaged: it is made again.
    if (databaseFailure(error) === undefined) throw error
    return false
  }
}

/** Folds what the index lacks, unless a gateway holds the directory: then its own thread does. */
const catchUp = async (
  files: DataFiles,
  log: EventReader,
  blobsOver: (db: DatabaseSync) => BlobStore,
  progress: Progress,
): Promise<Outcome> => {
  if (await isComplete(files, log)) return E.right(undefined)
  const lock = lockFile(files.lock)
  // Held by a gateway, or not ours to write: what is there is read.
  if (E.isLeft(lock)) return E.right(undefined)
  using _ = lock.right
  const opened = opening(files.projections, () => openRebuildable(files.projections))
  if (E.isLeft(opened)) return opened
  using db = opened.right
  const tables = openFollowTables(db)
  const folded = await followToEnd(logSource(log, blobsOver(db)), tables, ({ order }) => progress(Number(order)))
  if (E.isRight(folded)) return folded
  return fail(folded.left.tag === 'Stopped' ? 'damaged' : 'failed', `the log cannot be followed: ${folded.left.reason}`)
}
