import { expect, test } from 'vitest'
import { Livelock, Scheduler } from './scheduler.ts'

const ALIVE = (): boolean => true

test('what sleeps for no time, again and again, is stopped', async () => {
  const scheduler = new Scheduler(100)
  const clock = scheduler.clock({ wallMs: 0 }, ALIVE)
  const spin = async (): Promise<never> => {
    for (;;) await clock.sleep(0)
  }
  void spin()
  await expect(scheduler.runFor(1)).rejects.toThrow(Livelock)
})

test('what never gives way is stopped at the clock', async () => {
  const scheduler = new Scheduler(100)
  const clock = scheduler.clock({ wallMs: 0 }, ALIVE)
  const spin = async (): Promise<never> => {
    for (;;) await Promise.resolve(clock.monotonic())
  }
  await expect(spin()).rejects.toThrow(Livelock)
  scheduler.after(0, () => undefined)
  await expect(scheduler.runFor(1)).rejects.toThrow(Livelock)
})

test('a run that takes few turns goes on', async () => {
  const scheduler = new Scheduler(100)
  for (let event = 0; event < 50; event++) scheduler.after(event, () => undefined)
  await scheduler.runFor(1_000)
  expect(scheduler.turns).toBe(50)
})
