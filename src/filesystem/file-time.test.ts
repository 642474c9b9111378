import { expect, it } from 'vitest'
import { fileTime } from './file-time.ts'

it.each([
  [0n, 0n],
  [-5n, -5n],
  [1_795_450_735_216_000_123n, 1_795_450_735_216_000_123n],
  [253_402_300_799_000_000_000n, 99_999_999_999_999_999_999n],
  [-253_402_300_799_000_000_000n, -99_999_999_999_999_999_999n],
])('a time of %s ns counts as %s, which a message can hold', (time, counted) => {
  expect(fileTime(time)).toBe(counted)
  expect(String(fileTime(time))).toMatch(/^-?\d{1,20}$/)
})
