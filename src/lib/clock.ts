/** Time, passed in wherever the simulation must own it. */
export interface Clock {
  /** Milliseconds that only grow; for pauses and deadlines. */
  readonly monotonic: () => number
  /** Milliseconds since the epoch, as the machine believes; recorded, never trusted. */
  readonly wall: () => number
  /** Resolves after `ms`, or at once when the signal aborts (it never rejects). */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
}

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve()
      const done = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal?.addEventListener('abort', done, { once: true })
    }),
}
