import { parentPort, workerData } from 'node:worker_threads'
import * as E from 'fp-ts/lib/Either.js'
import { createBlobStore } from '../blobstore/chunk-store.ts'
import type { GatewayConfig } from '../config.ts'
import { openDatabase } from '../lib/sqlite.ts'
import { runFollower } from '../projections/follow/follower.ts'
import { readFollowTables } from '../projections/follow/read.ts'
import { openFollowTables } from '../projections/follow/write.ts'
import { openFollowSource } from './follow-source.ts'
import { openObjectStore, storeTrouble } from './object-store.ts'

/** Where the thread finds what it follows, and what it writes. */
export interface FollowFiles {
  /** The embedded log's file. */
  readonly log: string
  readonly remoteLog: GatewayConfig['log']
  readonly objects: string
  readonly store: GatewayConfig['store']
  readonly projections: string
}

/** Hashes lie anywhere in their tables: pages that are written again and again should not be read again, too. */
const CACHE_MIB = 32
/** What is not in the tables yet is in the gateway's memory: nobody waits for them. */
const GATHER_MS = 50

// `followWorker` gives it just this.
const { log, remoteLog, objects, store: storeConfig, projections } = workerData as FollowFiles
if (parentPort === null) throw new Error('this module is a worker thread')
const db = openDatabase(projections, { synchronous: 'NORMAL', cacheMiB: CACHE_MIB })
const tables = openFollowTables(db)
const store = await openObjectStore(storeConfig, objects)()
if (E.isLeft(store)) throw new Error(storeTrouble(storeConfig, objects, store.left))
const blobs = createBlobStore(store.right, readFollowTables(db))
await using parts = new AsyncDisposableStack()
await runFollower(parentPort, await openFollowSource({ log, remoteLog }, blobs, parts), tables, GATHER_MS)
parentPort.close()
await store.right[Symbol.asyncDispose]()
db.close()
