import type { DatabaseSync } from 'node:sqlite'
import { readHistory } from '../history/reads.ts'
import type { Followed, LogDecoder } from '../port.ts'
import { factsOfAll } from './followed.ts'
import { readFollowTables } from './read.ts'
import { createRecent } from './recent.ts'
import { migrateFollow } from './schema.ts'
import type { FollowPort, FromFollower, ToFollower } from './worker-protocol.ts'

export interface ThreadFollowed extends Followed {
  /** Resolves when the tables have reached the log's end for the first time: before, the gateway must not decide. Rejects where they never will. */
  readonly caughtUp: Promise<void>
  /** Rows that are not yet in the tables. */
  recentSize(): number
  /** Tells the thread to end. */
  stop(): void
}

/** Rows of facts that may wait for the thread: some 300 bytes each. */
const MAX_RECENT = 100_000

export interface ThreadOptions {
  /** The state's decoder, so that each event is understood once. */
  readonly decoder: LogDecoder
  /** Told when the thread can't go on. */
  readonly stopped: (reason: string) => void
  readonly maxRecent?: number
}

const placed = <A>(place: A | 'gone'): A | undefined => (place === 'gone' ? undefined : place)

/**
 * The projections followed by a thread, read here over a connection of their own (`db`), with what it has not yet reached laid over them.
 */
export const followByThread = (port: FollowPort<ToFollower, FromFollower>, db: DatabaseSync, options: ThreadOptions): ThreadFollowed => {
  const { decoder, stopped, maxRecent = MAX_RECENT } = options
  migrateFollow(db)
  const tables = readFollowTables(db)
  const recent = createRecent()
  const started = Promise.withResolvers<void>()
  // Whoever starts the gateway awaits it; a thread that stops later must not be an unhandled rejection.
  started.promise.catch(() => undefined)
  // Every chunk of every change is asked for: where nothing was ever retired, that costs nothing.
  let reached = false
  let retiredAny = false
  const maybe = (): boolean => retiredAny || !reached
  let waiting: (() => void)[] = []
  let rung = false
  const ring = (): void => {
    if (!rung) port.postMessage({ tag: 'ring' })
    rung = true
  }
  const trim = (order: bigint): void => {
    rung = false
    recent.trim(order)
    // What came while the thread was at it: it may have found the log's end before.
    if (recent.size() > 0) ring()
    if (recent.size() >= maxRecent) return
    for (const wake of waiting) wake()
    waiting = []
  }
  port.on('message', (message: FromFollower) => {
    if (message.tag === 'caughtUp') {
      retiredAny ||= tables.anyRetired()
      reached = true
      started.resolve()
    }
    if (message.tag === 'at') trim(message.order)
    if (message.tag !== 'stopped') return
    started.reject(new Error(message.reason))
    stopped(message.reason)
  })
  return {
    caughtUp: started.promise,
    history: readHistory(db),
    recentSize: recent.size,
    stop: () => port.postMessage({ tag: 'stop' }),
    room: () => (recent.size() < maxRecent ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    note: (events, manifests) => {
      const last = events.at(-1)
      if (last === undefined) return
      const facts = factsOfAll(decoder, events, manifests)
      retiredAny ||= facts.some(({ retention }) => retention !== undefined)
      recent.add(last.position.order, facts)
      ring()
    },
    anyRetired: () => tables.anyRetired(),
    goneSince: (hash) => tables.goneSince(hash),
    together: (ask) => tables.together(ask),
    find: (hash) => placed(recent.find(hash) ?? tables.find(hash)),
    isGone: (hash) => maybe() && (recent.isGone(hash) ?? tables.isGone(hash)),
    isRetired: (object) => maybe() && (recent.isRetired(object) || tables.isRetired(object)),
    chunkSize: (folder, hash) => recent.chunkSize(folder, hash) ?? tables.chunkSize(folder, hash),
    versionAt: (folder, revision) => recent.versionAt(folder, revision) ?? tables.versionAt(folder, revision),
    held: (folder, path, since, content) => recent.held(folder, path, since, content) || tables.held(folder, path, since, content),
  }
}
