import type { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { workerUrl } from '../lib/worker-url.ts'
import { followByThread, type ThreadFollowed } from '../projections/follow/follow-by-thread.ts'
import type { LogDecoder } from '../projections/port.ts'
import type { FollowFiles } from './follow-worker.ts'

export interface Following extends AsyncDisposable {
  readonly followed: ThreadFollowed
  /** Resolves, with the reason, if the thread ends by itself. */
  readonly ended: Promise<string>
}

/** Starts the thread that follows the log; `db` is another connection to the file that it writes. */
export const startFollowing = (files: FollowFiles, db: DatabaseSync, decoder: LogDecoder): Following => {
  const ended = Promise.withResolvers<string>()
  const worker = new Worker(workerUrl('./follow-worker', import.meta.url), { workerData: files })
  const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  worker.once('error', (error) => ended.resolve(error instanceof Error ? error.message : String(error)))
  const followed = followByThread(worker, db, { decoder, stopped: ended.resolve })
  return {
    followed,
    ended: ended.promise,
    [Symbol.asyncDispose]: async () => {
      followed.stop()
      await gone
    },
  }
}
