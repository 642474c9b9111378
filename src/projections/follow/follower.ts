import { setTimeout as sleep } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { databaseFailure } from '../../lib/sqlite.ts'
import { checkCheckpoint, followPage, type FollowSource } from './runner.ts'
import type { FollowPort, FromFollower, ToFollower } from './worker-protocol.ts'
import type { FollowTables } from './write.ts'

const RETRY_MS = 500

/**
 * The following thread's loop: folds page by page, tells how far it is, and waits for a ring at the log's end. Resolves when told to stop, or at an event
 * that it can't understand (it says so then). A log that can't be read for now, and tables whose disk gets full once it has caught up, are tried again. After a ring it lets events gather for `gatherMs`.
 */
export const runFollower = async (
  port: FollowPort<FromFollower, ToFollower>,
  source: FollowSource,
  tables: FollowTables,
  gatherMs = 0,
): Promise<void> => {
  const bell = createRing(port)
  let caughtUp = false
  let checked = false
  while (!bell.stopped()) {
    const page = await nextPage(source, tables, { checked, caughtUp })
    if (E.isLeft(page)) {
      if (page.left.tag === 'Stopped') return port.postMessage({ tag: 'stopped', reason: page.left.reason })
      await sleep(RETRY_MS)
      continue
    }
    checked = true
    if (page.right === undefined && !caughtUp) port.postMessage({ tag: 'caughtUp' })
    caughtUp ||= page.right === undefined
    // Also where there was nothing new: whoever rang waits for word.
    port.postMessage({ tag: 'at', order: orderOf(tables) })
    if (page.right === undefined) await bell.next()
    // Each transaction, and each message between the threads, costs more than an event does.
    if (page.right === undefined && gatherMs > 0) await sleep(gatherMs)
  }
}

const orderOf = (tables: FollowTables): bigint => tables.checkpoint()?.position.order ?? -1n

interface Progress {
  readonly checked: boolean
  readonly caughtUp: boolean
}

const nextPage = async (source: FollowSource, tables: FollowTables, { checked, caughtUp }: Progress): ReturnType<typeof followPage> => {
  const same = checked ? E.right(undefined) : await checkCheckpoint(source, tables)
  if (E.isLeft(same)) return same
  try {
    return await followPage(source, tables)
  } catch (error) {
    // The page was rolled back whole; it is folded again once there is room. A gateway that only starts says so and ends.
    if (!caughtUp || databaseFailure(error) !== 'full') throw error
    return E.left({ tag: 'Unavailable', reason: 'the disk of the projections is full' })
  }
}

const createRing = (port: FollowPort<FromFollower, ToFollower>) => {
  let rung = false
  let stopped = false
  let wake: (() => void) | undefined
  port.on('message', (message) => {
    if (message.tag === 'stop') stopped = true
    rung = true
    wake?.()
  })
  return {
    stopped: () => stopped,
    /** At once where it has rung since the last time. */
    next: async (): Promise<void> => {
      if (!rung) await new Promise<void>((resolve) => (wake = resolve))
      rung = false
    },
  }
}
