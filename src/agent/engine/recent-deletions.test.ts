import { expect, it } from 'vitest'
import { RecentDeletions } from './recent-deletions.ts'

it('counts the deletions of the last minute', () => {
  const recent = new RecentDeletions()
  expect(recent.count(0)).toBe(0)
  recent.add(3, 0)
  recent.add(4, 30_000)
  expect([recent.count(30_000), recent.count(59_999), recent.count(60_000), recent.count(90_000)]).toEqual([7, 7, 4, 0])
})
