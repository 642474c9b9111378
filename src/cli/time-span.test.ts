import { describe, expect, it } from 'vitest'
import { durationSeconds } from './time-span.ts'

describe('durationSeconds', () => {
  it.each([
    ['30s', 30],
    ['5m', 300],
    ['36h', 129_600],
    ['365d', 31_536_000],
    [' 2w ', 1_209_600],
    ['1y', 31_557_600],
    ['1.5d', 129_600],
    ['0d', 0],
  ])('reads %s', (text, seconds) => expect(durationSeconds(text)).toBe(seconds))

  it.each(['', '365', 'd', '-1d', '1 day', '1e9d', '10000000000d', '1.d'])('reads nothing from %j', (text) =>
    expect(durationSeconds(text)).toBe(undefined),
  )
})
