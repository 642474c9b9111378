import { describe, expect, it } from 'vitest'
import { createGatherer } from './gather.ts'

describe('gathering', () => {
  it("flushes what came while a flush ran as one group, each item with its own group's result", async () => {
    const groups: (readonly number[])[] = []
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const gather = createGatherer(
      async (group: readonly number[]) => {
        groups.push(group)
        await gates[groups.length - 1]?.promise
        return groups.length
      },
      10,
      (item) => item,
    )
    const results = [gather(1), gather(2), gather(3)]
    gates[0]?.resolve()
    expect(await results[0]).toBe(1)
    results.push(gather(4))
    gates[1]?.resolve()
    expect(await Promise.all(results)).toEqual([1, 2, 2, 3])
    expect(groups).toEqual([[1], [2, 3], [4]])
  })

  it('a group weighs no more than allowed, unless it is one item', async () => {
    const groups: (readonly number[])[] = []
    const gather = createGatherer(
      async (group: readonly number[]) => void groups.push(group),
      10,
      (item) => item,
    )
    await Promise.all([1, 6, 4, 5, 20, 1].map(gather))
    expect(groups).toEqual([[1], [6, 4], [5], [20], [1]])
  })
})
