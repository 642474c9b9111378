import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { preferredOf } from './preference.ts'

const QUEUES = Array.from({ length: 8 }, (_, shard) => `queue ${shard}`)
const gateways = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 10 })

const countsOf = (preferred: ReadonlyMap<string, string>): ReadonlyMap<string, number> =>
  [...preferred.values()].reduce((counts, gateway) => counts.set(gateway, (counts.get(gateway) ?? 0) + 1), new Map<string, number>())

describe('which gateway prefers which queue', () => {
  it('gives each queue to one gateway, and no gateway more than its share', () => {
    fc.assert(
      fc.property(gateways, (live) => {
        const preferred = preferredOf(QUEUES, live)
        expect([...preferred.keys()]).toEqual(QUEUES)
        for (const count of countsOf(preferred).values()) expect(count).toBeLessThanOrEqual(Math.ceil(QUEUES.length / live.length))
      }),
    )
  })

  it('does not depend on the order in which gateways were heard of', () => {
    fc.assert(
      fc.property(gateways, (live) => {
        expect(preferredOf(QUEUES, live.toReversed())).toEqual(preferredOf(QUEUES, live))
      }),
    )
  })

  it('moves at most half of the queues when a third gateway comes', () => {
    const moved = Array.from({ length: 100 }, (_, at) => {
      const before = preferredOf(QUEUES, [`a${at}`, `b${at}`])
      const after = preferredOf(QUEUES, [`a${at}`, `b${at}`, `c${at}`])
      return QUEUES.filter((queue) => before.get(queue) !== after.get(queue)).length
    })
    expect(moved.reduce((sum, count) => sum + count) / moved.length).toBeLessThanOrEqual(QUEUES.length / 2)
  })
})
