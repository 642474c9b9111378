import { setImmediate as turn } from 'node:timers/promises'
import type { LogPosition, RecordedEvent } from '../port.ts'
import type { Client } from './client.ts'
import { encodePosition, type VendorPosition } from './positions.ts'
import type { VendorRecord } from './events.ts'

/** Told when the log is out of reach, and when it is back. */
export interface LogHealth {
  readonly lost: (reason: string) => void
  readonly back: () => void
}

export interface SubscriptionDeps {
  readonly client: Pick<Client, 'subscribe'>
  readonly prefixes: readonly string[]
  /** Undefined: not an event of this log. Throws where it should be, and is not. */
  readonly decode: (record: VendorRecord) => RecordedEvent | undefined
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  readonly health: LogHealth
}

const BATCH = 256
/** Events that wait for a slow reader; the server is held up beyond (I16), and some drop a subscription that is. */
const MAX_WAITING = 1024
const FIRST_PAUSE_MS = 50
const MAX_PAUSE_MS = 2000

/**
 * History, then what comes. A subscription that is lost, for whatever reason, is made again after the last event that was taken from it: what
 * waited in it then is given by the next one, so that no event is missed and none is given twice. Throws at an event that is not of EventSync.
 */
export async function* follow(
  deps: SubscriptionDeps,
  after: LogPosition | 'start',
  signal: AbortSignal,
): AsyncGenerator<readonly RecordedEvent[]> {
  let from: VendorPosition | 'start' = after === 'start' ? 'start' : encodePosition(after)
  let pause = FIRST_PAUSE_MS
  while (!signal.aborted) {
    const inbox = createInbox(deps, from)
    try {
      for (let batch = await inbox.next(signal); batch !== undefined; batch = await inbox.next(signal)) {
        pause = FIRST_PAUSE_MS
        yield batch
      }
    } finally {
      inbox.close()
    }
    from = inbox.reached()
    await deps.sleep(pause, signal)
    pause = Math.min(2 * pause, MAX_PAUSE_MS)
  }
}

/** One subscription and what it gave. */
interface Inbox {
  /** The next events; undefined when the signal aborts, or all is taken of a subscription that was lost. */
  next(signal: AbortSignal): Promise<readonly RecordedEvent[] | undefined>
  /** Up to where everything was given to `next`'s callers, or is waiting for them. */
  reached(): VendorPosition | 'start'
  close(): void
}

const createInbox = ({ client, prefixes, decode, health }: SubscriptionDeps, after: VendorPosition | 'start'): Inbox => {
  let waiting: RecordedEvent[] = []
  let reached = after
  let lost = false
  let damage: Error | undefined
  let wake = (): void => undefined
  const take = (record: VendorRecord): void => {
    if (damage !== undefined || record.position === undefined) return
    try {
      const event = decode(record)
      if (event !== undefined) waiting.push(event)
      reached = record.position
    } catch (error) {
      damage = error instanceof Error ? error : new Error(String(error))
    }
    if (waiting.length >= MAX_WAITING) live.pause()
    wake()
  }
  const live = client.subscribe(after, prefixes, {
    opened: health.back,
    event: take,
    checkpoint: (position) => (reached = position),
    lost: (error) => {
      lost = true
      health.lost(error instanceof Error ? error.message : String(error))
      wake()
    },
  })
  return {
    reached: () => reached,
    close: () => live.close(),
    next: async (signal) => {
      const aborted = (): void => wake()
      signal.addEventListener('abort', aborted)
      while (waiting.length === 0 && damage === undefined && !lost && !signal.aborted)
        await new Promise<void>((resolve) => (wake = resolve))
      signal.removeEventListener('abort', aborted)
      // What arrives together is given together.
      await turn()
      if (signal.aborted) return undefined
      if (waiting.length === 0 && damage !== undefined) throw damage
      if (waiting.length === 0) return undefined
      const batch = waiting.slice(0, BATCH)
      waiting = waiting.slice(BATCH)
      if (waiting.length < BATCH && !lost) live.resume()
      return batch
    },
  }
}
