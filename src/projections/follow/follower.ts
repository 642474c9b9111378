import { either as E } from 'fp-ts'
import { followPage, type FollowSource } from './runner.ts'
import type { FollowPort, FromFollower, ToFollower } from './worker-protocol.ts'
import type { FollowTables } from './write.ts'

/**
 * The following thread's loop: folds page by page, tells how far it is, and waits for a ring at the log's end. Resolves when told to stop, or at an event
 * that it can't understand (it says so then). A log that can't be read for now is tried again at the next ring.
 */
export const runFollower = async (
  port: FollowPort<FromFollower, ToFollower>,
  source: FollowSource,
  tables: FollowTables,
): Promise<void> => {
  const bell = createRing(port)
  let caughtUp = false
  while (!bell.stopped()) {
    const page = await followPage(source, tables)
    if (E.isLeft(page) && page.left.tag === 'Stopped') return port.postMessage({ tag: 'stopped', reason: page.left.reason })
    const at = E.isRight(page) ? page.right : undefined
    if (at !== undefined) {
      port.postMessage({ tag: 'at', order: at.order })
      continue
    }
    if (!caughtUp && E.isRight(page)) port.postMessage({ tag: 'caughtUp' })
    caughtUp ||= E.isRight(page)
    await bell.next()
  }
}

const createRing = (port: FollowPort<FromFollower, ToFollower>) => {
  let rung = false
  let stopped = false
  let wake: (() => void) | undefined
  port.on('message', (message: ToFollower) => {
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
