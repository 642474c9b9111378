import { createHash } from 'node:crypto'

const scoreOf = (gateway: string, queue: string): string => createHash('sha256').update(`${gateway} ${queue}`).digest('hex')

/**
 * Which gateway each queue should be read by: every gateway that knows of the same ones comes to the same. By rendezvous hashing, so that few
 * queues move when a gateway comes or goes; but none gets more than its share, since chance alone spreads few queues badly.
 */
export const preferredOf = (queues: readonly string[], gateways: readonly string[]): ReadonlyMap<string, string> => {
  const share = Math.ceil(queues.length / gateways.length)
  const taken = new Map<string, number>()
  const preferred = new Map<string, string>()
  for (const queue of queues) {
    const free = gateways.filter((gateway) => (taken.get(gateway) ?? 0) < share)
    const [best] = free.map((gateway) => ({ gateway, score: scoreOf(gateway, queue) })).toSorted((a, b) => (a.score < b.score ? 1 : -1))
    if (best === undefined) continue
    preferred.set(queue, best.gateway)
    taken.set(best.gateway, (taken.get(best.gateway) ?? 0) + 1)
  }
  return preferred
}
