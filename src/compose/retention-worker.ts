import { parentPort, workerData } from 'node:worker_threads'
import * as E from 'fp-ts/lib/Either.js'
import { createBlobStore } from '../blobstore/chunk-store.ts'
import type { RetentionPolicy } from '../gateway/retention/policy.ts'
import { openDatabase } from '../lib/sqlite.ts'
import { readFollowTables } from '../projections/follow/read.ts'
import { openFollowSource } from './follow-source.ts'
import type { FollowFiles } from './follow-worker.ts'
import { openObjectStore, storeTrouble } from './object-store.ts'
import { markInto } from './retention-marks.ts'

/** What the thread reads, and where it writes what it finds. */
export interface MarkFiles extends FollowFiles {
  readonly marks: string
  readonly policy: RetentionPolicy
  readonly cutoff: number
}

const CACHE_MIB = 32

// `markByThread` gives it just this.
const { objects, store: storeConfig, projections, marks, policy, cutoff, ...files } = workerData as MarkFiles
const port = parentPort
if (port === null) throw new Error('this module is a worker thread')
await using parts = new AsyncDisposableStack()
const tables = parts.adopt(openDatabase(projections, { synchronous: 'OFF', readOnly: true, cacheMiB: CACHE_MIB }), (db) => db.close())
const store = await openObjectStore(storeConfig, objects)()
if (E.isLeft(store)) throw new Error(storeTrouble(storeConfig, objects, store.left))
const reads = readFollowTables(tables)
const blobs = createBlobStore(parts.use(store.right), reads)
const db = parts.adopt(openDatabase(marks, { synchronous: 'OFF', cacheMiB: CACHE_MIB }), (own) => own.close())
const source = await openFollowSource(files, blobs, parts)
const marked = await markInto(db, { ...source, isGone: (hash) => reads.isGone(hash) }, tables, policy, cutoff)
port.postMessage(marked)
