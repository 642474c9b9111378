import { describe, expect, it } from 'vitest'
import { handClock } from '../../test/support/gateway.ts'
import { createAttempts } from './attempts.ts'

describe('attempts', () => {
  it('come back with time, up to the burst', () => {
    const clock = handClock()
    const attempts = createAttempts({ burst: 2, perMinute: 6 }, clock)
    const take = () => attempts.take(['a'])
    expect([take(), take(), take()]).toEqual([true, true, false])
    clock.advance(10_000)
    expect([take(), take()]).toEqual([true, false])
    clock.advance(3_600_000)
    expect([take(), take(), take()]).toEqual([true, true, false])
  })

  it('take of all buckets, or of none', () => {
    const attempts = createAttempts({ burst: 1, perMinute: 1 }, handClock())
    expect(attempts.take(['a', 'b'])).toBe(true)
    expect(attempts.take(['a', 'c'])).toBe(false)
    expect(attempts.take(['c'])).toBe(true)
    attempts.giveBack(['a', 'b'])
    expect(attempts.take(['a', 'b'])).toBe(true)
  })
})
