import { expect, test } from 'vitest'
import { createLatest } from './latest.ts'

test('what was set last is there, and what was set long before is not', () => {
  const latest = createLatest<number, string>(3)
  for (let key = 0; key < 10; key += 1) latest.set(key, `value ${key}`)
  expect([7, 8, 9].map(latest.get)).toEqual(['value 7', 'value 8', 'value 9'])
  expect([0, 1, 2, 3].map(latest.get)).toEqual([undefined, undefined, undefined, undefined])
})

test('the value that was set last for a key counts', () => {
  const latest = createLatest<string, number>(2)
  latest.set('a', 1)
  latest.set('b', 2)
  latest.set('a', 3)
  expect(latest.get('a')).toBe(3)
})
