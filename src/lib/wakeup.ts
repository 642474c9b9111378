import type { Clock } from './clock.ts'

/** Beyond this a timer cannot be set: such a wait has no end of its own. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Wakes one waiting loop; a call that comes while nobody waits is kept, and many count as one. */
export class Wakeup {
  #called = false
  #resolve: (() => void) | undefined

  readonly notify = (): void => {
    this.#called = true
    this.#resolve?.()
  }

  /** Resolves at the next `notify` (or at once after one that nobody took), after `ms`, or when the signal aborts. */
  async wait(clock: Clock, signal: AbortSignal, ms?: number): Promise<void> {
    if (!this.#called && !signal.aborted) {
      const over = new AbortController()
      const woken = new Promise<void>((resolve) => {
        this.#resolve = resolve
        signal.addEventListener('abort', () => resolve(), { once: true, signal: over.signal })
      })
      await (ms === undefined || ms > LONGEST_TIMER_MS ? woken : Promise.race([woken, clock.sleep(ms, over.signal)]))
      over.abort()
      this.#resolve = undefined
    }
    this.#called = false
  }
}
