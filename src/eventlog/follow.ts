import { setImmediate as turn } from 'node:timers/promises'
import type { RecordedEvent } from './port.ts'

/** Wakes whoever waits for the next append. */
export interface Bell {
  ring(): void
  /** Resolves at the next ring, when the signal aborts, or after `ms`. */
  next(signal: AbortSignal, ms?: number): Promise<void>
}

export const createBell = (): Bell => {
  const waiting = new Set<() => void>()
  const next = (signal: AbortSignal, ms?: number): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve()
      const wake = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', wake)
        waiting.delete(wake)
        resolve()
      }
      const timer = ms === undefined ? undefined : setTimeout(wake, ms).unref()
      signal.addEventListener('abort', wake, { once: true })
      waiting.add(wake)
    })
  return { ring: () => [...waiting].forEach((wake) => wake()), next }
}

export interface Following {
  /** The next events after a place in the order; none at the end. It must be synchronous: no ring may fall between it and the wait. */
  readonly page: (after: bigint) => readonly RecordedEvent[]
  readonly after: bigint
  readonly bell: Bell
  readonly signal: AbortSignal
  /** Look again after this many milliseconds without a ring, since another process may append too. Where it is set, other work of the process gets a turn between batches. */
  readonly pollMs?: number
}

/** History, then what comes: one page at a time, each read only when the reader asks, so that no backlog gathers here (I16). */
export async function* follow({ page, after, bell, signal, pollMs }: Following): AsyncGenerator<readonly RecordedEvent[]> {
  let at = after
  while (!signal.aborted) {
    const batch = page(at)
    const last = batch.at(-1)
    if (last === undefined) {
      await bell.next(signal, pollMs)
      continue
    }
    at = last.position.order
    yield batch
    if (pollMs !== undefined) await turn()
  }
}
