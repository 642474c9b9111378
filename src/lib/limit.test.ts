import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createLimit } from './limit.ts'

describe('createLimit', () => {
  it('runs so many at a time, in order, and goes on after a failure', async () => {
    const limit = createLimit(2)
    const started: number[] = []
    let running = 0
    let most = 0
    const task = (n: number) =>
      limit(async () => {
        started.push(n)
        most = Math.max(most, ++running)
        await turn()
        running -= 1
        if (n === 1) throw new Error('one')
        return n
      })
    const settled = await Promise.allSettled([0, 1, 2, 3, 4].map(task))
    expect(settled.map((result) => (result.status === 'fulfilled' ? result.value : 'failed'))).toEqual([0, 'failed', 2, 3, 4])
    expect(started).toEqual([0, 1, 2, 3, 4])
    expect(most).toBe(2)
  })
})
