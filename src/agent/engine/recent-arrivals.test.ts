import { expect, it } from 'vitest'
import { path } from '../../../test/support/disk.ts'
import { RecentArrivals } from './recent-arrivals.ts'

it('tells what came since a moment, and what of it was brought from elsewhere', () => {
  const arrivals = new RecentArrivals()
  arrivals.add(path('brought'), { at: 10, brought: true })
  arrivals.add(path('made'), { at: 20, brought: false })
  expect([9, 10, 11].map((moment) => arrivals.cameSince(path('brought'), moment))).toEqual([true, true, false])
  expect(arrivals.cameSince(path('other'), 0)).toBe(false)
  expect(arrivals.broughtSince(0)).toEqual(['brought'])
  arrivals.add(path('brought'), { at: 30, brought: true })
  expect([arrivals.broughtSince(30), arrivals.broughtSince(31)]).toEqual([['brought'], []])
})

it('keeps the latest, up to a bound', () => {
  const arrivals = new RecentArrivals()
  for (let at = 0; at < 2_000; at += 1) arrivals.add(path(`f${at}`), { at, brought: true })
  expect(arrivals.broughtSince(0)).toHaveLength(1_024)
  expect([arrivals.cameSince(path('f0'), 0), arrivals.cameSince(path('f1999'), 0)]).toEqual([false, true])
})
