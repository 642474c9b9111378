import { expect, it } from 'vitest'
import { RecentSet } from './recent-set.ts'

it('keeps the latest members', () => {
  const set = new RecentSet<string>(2)
  for (const each of ['a', 'b', 'a', 'c']) set.add(each)
  expect(['a', 'b', 'c'].filter((each) => set.has(each))).toEqual(['a', 'c'])
  set.delete('a')
  set.add('d')
  expect(['a', 'c', 'd'].filter((each) => set.has(each))).toEqual(['c', 'd'])
})
