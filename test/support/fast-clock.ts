import { systemClock, type Clock } from '../../src/lib/clock.ts'

/** The real clock, so many times as fast: what waits for half a minute is seen in half a second. */
export const fastClock = (times: number): Clock => ({
  monotonic: () => systemClock.monotonic() * times,
  wall: systemClock.wall,
  sleep: (ms, signal) => systemClock.sleep(ms / times, signal),
})
