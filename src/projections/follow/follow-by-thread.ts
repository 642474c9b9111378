import type { DatabaseSync } from 'node:sqlite'
import type { Followed } from '../port.ts'
import { factsOfAll } from './followed.ts'
import { readFollowTables } from './read.ts'
import { createRecent } from './recent.ts'
import { migrateFollow } from './schema.ts'
import type { FollowPort, FromFollower, ToFollower } from './worker-protocol.ts'

export interface ThreadFollowed extends Followed {
  /** Resolves when the tables have reached the log's end for the first time: before, the gateway must not decide. Rejects where they never will. */
  readonly caughtUp: Promise<void>
  /** Tells the thread to end. */
  stop(): void
}

/** Rows of facts that may wait for the thread: some 300 bytes each. */
const MAX_RECENT = 100_000

/**
 * The projections followed by a thread, read here over a connection of their own, with what it has not yet reached laid over them.
 * `stopped` is told when the thread can't go on.
 */
export const followByThread = (
  port: FollowPort<ToFollower, FromFollower>,
  db: DatabaseSync,
  stopped: (reason: string) => void,
  maxRecent = MAX_RECENT,
): ThreadFollowed => {
  migrateFollow(db)
  const tables = readFollowTables(db)
  const recent = createRecent()
  let waiting: (() => void)[] = []
  const started = Promise.withResolvers<void>()
  // Whoever starts the gateway awaits it; a thread that stops later must not be an unhandled rejection.
  started.promise.catch(() => undefined)
  port.on('message', (message: FromFollower) => {
    if (message.tag === 'caughtUp') started.resolve()
    if (message.tag === 'stopped') {
      started.reject(new Error(message.reason))
      stopped(message.reason)
    }
    if (message.tag !== 'at') return
    recent.trim(message.order)
    if (recent.size() >= maxRecent) return
    for (const wake of waiting) wake()
    waiting = []
  })
  return {
    caughtUp: started.promise,
    stop: () => port.postMessage({ tag: 'stop' }),
    room: () => (recent.size() < maxRecent ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    note: (events, manifests) => {
      const last = events.at(-1)
      if (last === undefined) return
      recent.add(last.position.order, factsOfAll(events, manifests))
      port.postMessage({ tag: 'ring' })
    },
    find: (hash) => recent.find(hash) ?? tables.find(hash),
    namesChunk: (folder, hash) => recent.namesChunk(folder, hash) || tables.namesChunk(folder, hash),
    versionAt: (folder, revision) => recent.versionAt(folder, revision) ?? tables.versionAt(folder, revision),
    held: (folder, path, since, content) => recent.held(folder, path, since, content) || tables.held(folder, path, since, content),
  }
}
