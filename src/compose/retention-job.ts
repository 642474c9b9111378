import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import * as E from 'fp-ts/lib/Either.js'
import type { SweptStore } from '../blobstore/port.ts'
import type { Hash } from '../domain/content.ts'
import type { FolderId } from '../domain/events.ts'
import type { GatewayDeps } from '../gateway/deps.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Marked, MarkError } from '../gateway/retention/mark.ts'
import type { RetentionPolicy } from '../gateway/retention/policy.ts'
import type { RetentionDone, RetentionOptions } from '../gateway/retention/run.ts'
import { openDatabase } from '../lib/sqlite.ts'
import { workerUrl } from '../lib/worker-url.ts'
import { logSource } from '../projections/follow/sources.ts'
import { accountIdOf } from '../protocol/event-ids.ts'
import { fail, type Outcome } from './failure.ts'
import type { FollowFiles } from './follow-worker.ts'
import type { MarkFiles } from './retention-worker.ts'

/** What a run of retention is asked for. `folder`: its id, or the email address of its account. */
export interface RetentionAsked {
  readonly keepSeconds: number
  readonly keepVersions: number
  readonly folder: string | undefined
  readonly thorough: boolean
  readonly dryRun: boolean
  readonly gone: readonly string[]
}

export interface RetentionGateway {
  readonly gateway: Gateway
  readonly deps: GatewayDeps & { readonly blobs: SweptStore }
  readonly files: FollowFiles
  /** The gateway's data directory. */
  readonly data: string
}

/** One run, in the gateway's own process; the marking goes on in a thread of its own. */
export const runRetentionJob = async (
  { gateway, deps, files, data }: RetentionGateway,
  asked: RetentionAsked,
  { stopped, progress }: Pick<RetentionOptions, 'stopped' | 'progress'>,
): Promise<Outcome<RetentionDone>> => {
  const folder = folderOf(deps, asked.folder)
  if (E.isLeft(folder)) return folder
  const { keepSeconds, keepVersions, gone, thorough, dryRun } = asked
  const marks = join(data, 'retention.db')
  removeDatabase(marks)
  await using parts = new AsyncDisposableStack()
  parts.defer(() => removeDatabase(marks))
  const mark = async (policy: RetentionPolicy, cutoff: number) => {
    const marked = await markByThread({ ...files, marks, policy, cutoff }, stopped)
    if (E.isLeft(marked)) return marked
    return E.right({ marked: marked.right, db: parts.adopt(openDatabase(marks, { synchronous: 'OFF' }), (db) => db.close()) })
  }
  const source = { ...logSource(deps.log, deps.blobs), isGone: (hash: Hash) => deps.followed.isGone(hash) }
  const policy = { keepSeconds, keepVersions, folder: folder.right }
  const done = await gateway.retain({ blobs: deps.blobs, source, gone, mark }, policy, { dryRun, thorough, stopped, progress })
  if (E.isRight(done)) return done
  const { left } = done
  return fail(
    left.tag === 'Stopped' || left.tag === 'Damaged' ? 'damaged' : 'failed',
    'reason' in left ? left.reason : `${left.name} is not there`,
  )
}

/** By its id, or by the email address of the account that it belongs to, where that has one alone. */
const folderOf = ({ state: { directory } }: GatewayDeps, named: string | undefined): Outcome<RetentionPolicy['folder']> => {
  if (named === undefined) return E.right(null)
  // An id that nobody has is no folder's.
  const found = named.includes('@') ? directory.foldersOf(accountIdOf(named)) : [directory.folder(named as FolderId)]
  const [folder] = found
  if (folder === undefined)
    return fail('usage', `there is no folder ${named}: give its id, or the email address of the account that it belongs to`)
  return found.length === 1 ? E.right(folder.folder) : fail('usage', `${named} has ${found.length} folders: give the id of one`)
}

const removeDatabase = (file: string): void => {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true })
}

const LOOK_EVERY_MS = 200

/** Nothing is retired before it ends, so it can be ended at any time. */
const markByThread = (files: MarkFiles, stopped: () => boolean): Promise<E.Either<MarkError, Marked>> =>
  new Promise((resolve) => {
    const worker = new Worker(workerUrl('./retention-worker', import.meta.url), { workerData: files })
    let found: E.Either<MarkError, Marked> = E.left({ tag: 'Unavailable', reason: 'the thread that marks the log ended' })
    worker.on('message', (marked: E.Either<MarkError, Marked>) => (found = marked))
    worker.once(
      'error',
      (error) => (found = E.left({ tag: 'Unavailable', reason: error instanceof Error ? error.message : String(error) })),
    )
    const looking = setInterval(() => {
      if (!stopped()) return
      found = E.left({ tag: 'Unavailable', reason: 'it was stopped before anything was retired' })
      void worker.terminate()
    }, LOOK_EVERY_MS)
    worker.once('exit', () => {
      clearInterval(looking)
      resolve(found)
    })
  })
