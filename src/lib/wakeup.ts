import type { Clock } from './clock.ts'

/** Beyond this a timer cannot be set: such a wait has no end of its own. */
const LONGEST_TIMER_MS = 2 ** 31 - 1
const WOKEN = 'woken'

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
      const timer = ms === undefined || ms > LONGEST_TIMER_MS ? undefined : new AbortController()
      await new Promise<void>((resolve) => {
        const end = (): void => {
          signal.removeEventListener('abort', end)
          resolve()
        }
        this.#resolve = end
        signal.addEventListener('abort', end)
        if (timer !== undefined) void clock.sleep(ms ?? 0, timer.signal).then(end)
      })
      // With a reason: without one each abort makes an error with a stack, which costs more than all the rest of a wait.
      timer?.abort(WOKEN)
      this.#resolve = undefined
    }
    this.#called = false
  }
}
