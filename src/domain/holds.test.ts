import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mustHold } from './holds.ts'

describe('I15: mustHold', () => {
  it.each([
    [0, 0, undefined],
    [9, 9, undefined],
    [10, 10, 'everything'],
    [12, 11, undefined],
    [150, 150, 'everything'],
    [198, 99, undefined],
    [150, 99, undefined],
    [199, 100, 'overHalf'],
    [200, 100, undefined],
    [100_000, 50_000, undefined],
    [100_000, 50_001, 'overHalf'],
  ] as const)('of %i files %i: %s', (synced, deleting, reason) => {
    expect(mustHold({ synced, deleting })).toBe(reason)
  })

  it('lets nothing through that is more than what it holds', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1_000 }), fc.nat({ max: 1_000 }), fc.nat({ max: 1_000 }), (synced, deleting, more) => {
        if (mustHold({ synced, deleting }) !== undefined) expect(mustHold({ synced, deleting: deleting + more })).toBeDefined()
      }),
    )
  })
})
