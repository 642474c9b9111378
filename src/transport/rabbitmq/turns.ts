import type { Clock } from '../../lib/clock.ts'
import type { Members } from './members.ts'
import { preferredOf } from './preference.ts'
import type { Reader } from './reader.ts'

/** How the gateways share the request queues, as one of them sees it. */
export interface Shares {
  readonly gateways: number
  /** The queues that it should read. */
  readonly mine: readonly string[]
}

/**
 * Lets each queue come to the gateway that prefers it, until the signal aborts: a gateway stands back from a queue once, when it hears that
 * another one has become the preferred one. So one that comes and goes in others' eyes, and holds its queues all the while, moves nothing.
 */
export const keepTurns = async (
  clock: Clock,
  members: Members,
  readers: readonly Reader[],
  tell: (shares: Shares) => void,
  signal: AbortSignal,
): Promise<void> => {
  const shared = readers.filter(({ source }) => source.tag === 'requests')
  const queues = shared.map(({ source }) => source.queue)
  let preferred = preferredOf(queues, [members.id])
  for (;;) {
    await members.changed.wait(clock, signal)
    if (signal.aborted) return
    const before = preferred
    preferred = preferredOf(queues, members.live)
    tell({ gateways: members.live.length, mine: queues.filter((queue) => preferred.get(queue) === members.id) })
    const others = shared.filter(
      ({ source: { queue } }) => preferred.get(queue) !== members.id && preferred.get(queue) !== before.get(queue),
    )
    await Promise.all(others.map((reader) => reader.standBack()))
  }
}
