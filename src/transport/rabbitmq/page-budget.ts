import type { Clock } from '../../lib/clock.ts'
import { createLru } from '../../lib/lru.ts'
import type { RandomBytes } from '../session/options.ts'
import { Unread } from './unread.ts'

const MiB = 1024 * 1024

/** What one agent may leave unread of pages: so many of them go out before it has asked for something again, which tells what it has read. */
const UNREAD_BYTES = MiB
/** What one agent is sent in a minute, whatever it says: others that read under its name, and do not, would count as having read it. */
const MINUTE_BYTES = 4 * MiB
const MINUTE_MS = 60_000
const MAX_AGENTS = 10_000

/**
 * Pages that come with notifications are kept in the broker's memory until they are read, and nobody asked for them. So they are bounded, as answers are
 * (`Unread`), by what their reader tells of in its requests; beyond that it gets the bare notification.
 */
export class PageBudget {
  readonly #unread: Unread
  readonly #clock: Clock
  readonly #minutes = createLru<string, { readonly since: number; bytes: number }>(MAX_AGENTS)

  constructor(clock: Clock, random: RandomBytes) {
    this.#clock = clock
    this.#unread = new Unread(clock, random, { channel: UNREAD_BYTES, user: UNREAD_BYTES })
  }

  /** The token of a page of so many bytes, which counts as sent; undefined: it may not be sent. */
  take(agent: string, bytes: number): string | undefined {
    const channel = { id: 'pages', user: agent }
    const minute = this.#minuteOf(agent)
    if (minute.bytes + bytes > MINUTE_BYTES || !this.#unread.fits(channel, bytes)) return undefined
    minute.bytes += bytes
    return this.#unread.sent(channel, bytes)
  }

  /** To be called with what an agent's request says that it has read. */
  read(agent: string, tokens: unknown): void {
    this.#unread.read(agent, tokens)
  }

  #minuteOf(agent: string): { readonly since: number; bytes: number } {
    const now = this.#clock.monotonic()
    const known = this.#minutes.get(agent)
    if (known !== undefined && now - known.since < MINUTE_MS) return known
    const fresh = { since: now, bytes: 0 }
    this.#minutes.set(agent, fresh)
    return fresh
  }
}
