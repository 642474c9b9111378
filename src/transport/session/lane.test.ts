import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Lane } from './lane.ts'

/** A lane whose jobs are done when the test says so. */
const heldLane = (jobs: number, bytes = 1000) => {
  const begun: number[] = []
  const ends = new Map<number, () => void>()
  const flow = { paused: false, pause: () => (flow.paused = true), resume: () => (flow.paused = false) }
  const lane = new Lane({ jobs, bytes }, flow)
  const add = (n: number, size = 1): void =>
    lane.add({
      bytes: size,
      run: () => {
        begun.push(n)
        return new Promise((resolve) => ends.set(n, resolve))
      },
    })
  const end = async (n: number): Promise<void> => {
    ends.get(n)?.()
    await new Promise(setImmediate)
  }
  return { lane, flow, begun, add, end }
}

describe('a lane', () => {
  it('starts jobs in order, so many at a time, and stops the flow while some wait', async () => {
    const { lane, flow, begun, add, end } = heldLane(2)
    for (const n of [0, 1]) add(n)
    expect([begun, flow.paused]).toEqual([[0, 1], false])
    for (const n of [2, 3]) add(n)
    expect([begun, flow.paused, lane.running]).toEqual([[0, 1], true, 2])
    await end(1)
    expect([begun, flow.paused]).toEqual([[0, 1, 2], true])
    await end(0)
    expect([begun, flow.paused]).toEqual([[0, 1, 2, 3], false])
  })

  it('holds so many bytes at a time, and one job of any size', async () => {
    const { begun, add, end } = heldLane(10, 100)
    add(0, 60)
    add(1, 60)
    add(2, 1)
    expect(begun).toEqual([0])
    await end(0)
    expect(begun).toEqual([0, 1, 2])
    add(3, 1000)
    await end(1)
    expect(begun).toEqual([0, 1, 2])
    await end(2)
    expect(begun).toEqual([0, 1, 2, 3])
  })

  it('stops: starts nothing more, lets the flow run, and is done with what has begun', async () => {
    const { lane, flow, begun, add, end } = heldLane(1)
    for (const n of [0, 1]) add(n)
    let stopped = false
    const stop = (async (): Promise<void> => {
      await lane.stop()
      stopped = true
    })()
    add(2)
    expect([begun, flow.paused]).toEqual([[0], false])
    await new Promise(setImmediate)
    expect(stopped).toBe(false)
    await end(0)
    await stop
    expect(begun).toEqual([0])
    await lane.stop()
  })

  it('never exceeds its limits, starts everything in order, and pauses the flow exactly while something waits', async () => {
    const step = fc.oneof(fc.record({ add: fc.nat(120) }), fc.record({ end: fc.nat() }))
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 60 }), async (jobs, steps) => {
        const { lane, flow, begun, add, end } = heldLane(jobs, 100)
        const sizes: number[] = []
        const ended = new Set<number>()
        const running = (): readonly number[] => begun.filter((n) => !ended.has(n))
        for (const each of steps) {
          if ('add' in each) add(sizes.push(each.add) - 1, each.add)
          else if (running().length > 0) {
            const chosen = running()[each.end % running().length]!
            ended.add(chosen)
            await end(chosen)
          }
          const bytes = running().reduce((sum, n) => sum + sizes[n]!, 0)
          expect(running().length === 1 || bytes <= 100).toBe(true)
          expect(lane.running).toBe(running().length)
          expect(lane.running).toBeLessThanOrEqual(jobs)
          expect(flow.paused).toBe(begun.length < sizes.length)
        }
        expect(begun).toEqual(begun.map((_, index) => index))
      }),
    )
  })
})
