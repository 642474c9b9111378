import { describe, expect, it } from 'vitest'
import type { Clock } from './clock.ts'
import { Wakeup } from './wakeup.ts'

/** A clock whose sleeps end when the test says so. */
const stillClock = () => {
  const sleeps: { readonly ms: number; readonly signal: AbortSignal | undefined; readonly end: () => void }[] = []
  const clock: Clock = {
    monotonic: () => 0,
    wall: () => 0,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        sleeps.push({ ms, signal, end: resolve })
        signal?.addEventListener('abort', () => resolve())
      }),
  }
  return { clock, sleeps }
}

/** Whether a promise is resolved by the time all that is ready has run. */
const isDone = async (promise: Promise<void>): Promise<boolean> => {
  let done = false
  void promise.then(() => (done = true))
  await new Promise((resolve) => setImmediate(resolve))
  return done
}

const never = new AbortController().signal

describe('Wakeup', () => {
  it('waits for the next call', async () => {
    const { clock } = stillClock()
    const wakeup = new Wakeup()
    const waiting = wakeup.wait(clock, never)
    expect(await isDone(waiting)).toBe(false)
    wakeup.notify()
    expect(await isDone(waiting)).toBe(true)
  })

  it('keeps a call that came while nobody waited, and many as one', async () => {
    const { clock } = stillClock()
    const wakeup = new Wakeup()
    wakeup.notify()
    wakeup.notify()
    expect(await isDone(wakeup.wait(clock, never))).toBe(true)
    const waiting = wakeup.wait(clock, never)
    expect(await isDone(waiting)).toBe(false)
    wakeup.notify()
    await waiting
  })

  it('ends with its time, and leaves no sleep behind', async () => {
    const { clock, sleeps } = stillClock()
    const wakeup = new Wakeup()
    const waiting = wakeup.wait(clock, never, 50)
    expect([sleeps.length, sleeps[0]?.ms]).toEqual([1, 50])
    sleeps[0]?.end()
    expect(await isDone(waiting)).toBe(true)
    const woken = wakeup.wait(clock, never, 50)
    wakeup.notify()
    expect(await isDone(woken)).toBe(true)
    expect(sleeps.every(({ signal }) => signal?.aborted)).toBe(true)
  })

  it('sets no timer for a time without an end', async () => {
    const { clock, sleeps } = stillClock()
    const wakeup = new Wakeup()
    const waiting = wakeup.wait(clock, never, Infinity)
    expect(sleeps).toEqual([])
    wakeup.notify()
    expect(await isDone(waiting)).toBe(true)
  })

  it('ends with the signal, before or while it waits', async () => {
    const { clock } = stillClock()
    const wakeup = new Wakeup()
    const over = new AbortController()
    const waiting = wakeup.wait(clock, over.signal)
    over.abort()
    expect(await isDone(waiting)).toBe(true)
    expect(await isDone(wakeup.wait(clock, over.signal, 1_000))).toBe(true)
  })
})
