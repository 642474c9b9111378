import * as E from 'fp-ts/lib/Either.js'
import type { Clock } from '../../lib/clock.ts'
import type { Envelope, TransportError } from '../port.ts'

export type Result = E.Either<TransportError, Envelope>
export const unreachable = (reason: string): E.Either<TransportError, never> => E.left({ tag: 'Unreachable', reason })

interface Entry {
  readonly settle: (result: Result) => void
  /** Since when the gateway has had it; undefined while it is still leaving. */
  since: number | undefined
}

/** So much received since the last look is an answer on its way, however slow the line. */
const PROGRESS = 64 * 1024
/** A request is given up after so many times its limit, whatever else comes in. */
const PATIENCE = 10

/** The requests of one connection that wait for their answers, by correlation id. */
export class Outstanding {
  readonly #clock: Clock
  readonly #limitMs: number
  readonly #received: () => number
  readonly #ended = new AbortController()
  readonly #entries = new Map<number, Entry>()
  #lastId = 0
  #looking = false

  /** `received`: bytes that came in so far. A request has no answer in time when nothing much came in for `limitMs`. */
  constructor(clock: Clock, limitMs: number, received: () => number) {
    this.#clock = clock
    this.#limitMs = limitMs
    this.#received = received
  }

  add(settle: (result: Result) => void): number {
    do this.#lastId = (this.#lastId + 1) >>> 0
    while (this.#lastId === 0 || this.#entries.has(this.#lastId))
    this.#entries.set(this.#lastId, { settle, since: undefined })
    if (!this.#looking) void this.#look()
    return this.#lastId
  }

  /** It has left this process: from now on an answer is due. */
  sent(id: number): void {
    const entry = this.#entries.get(id)
    if (entry !== undefined) entry.since = this.#clock.monotonic()
  }

  /** Answers to what is no longer waited for are dropped: a duplicate, or one that was given up. */
  settle(id: number, result: Result): void {
    const entry = this.#entries.get(id)
    this.#entries.delete(id)
    entry?.settle(result)
  }

  end(reason: string): void {
    this.#ended.abort()
    for (const id of [...this.#entries.keys()]) this.settle(id, unreachable(reason))
  }

  async #look(): Promise<void> {
    this.#looking = true
    let received = this.#received()
    let progress = this.#clock.monotonic()
    while (this.#entries.size > 0 && !this.#ended.signal.aborted) {
      await this.#clock.sleep(this.#limitMs / 4, this.#ended.signal)
      const now = this.#clock.monotonic()
      if (this.#received() - received >= PROGRESS) progress = now
      received = this.#received()
      this.#expire(now, progress)
    }
    this.#looking = false
  }

  #expire(now: number, progress: number): void {
    for (const [id, { since }] of this.#entries) {
      if (since === undefined) continue
      const quiet = now - Math.max(since, progress) >= this.#limitMs
      if (quiet || now - since >= this.#limitMs * PATIENCE) this.settle(id, unreachable(`No answer within ${this.#limitMs} ms.`))
    }
  }
}
