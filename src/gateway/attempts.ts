import type { Clock } from '../lib/clock.ts'
import { createLru } from '../lib/lru.ts'
import type { GatewayLimits } from './deps.ts'

/** Limits guesses at passwords and keys: a bucket of tokens for each account and each address. */
export interface Attempts {
  /** Takes a token of each bucket; false, and nothing taken, where one is empty. */
  take(buckets: readonly string[]): boolean
  /** The attempt was no guess: its tokens go back. */
  giveBack(buckets: readonly string[]): void
}

interface Bucket {
  readonly tokens: number
  readonly at: number
}

/** Buckets are forgotten beyond this many, the least used first; a forgotten one is full again. */
const MAX_BUCKETS = 100_000
const MINUTE_MS = 60_000

export const createAttempts = ({ burst, perMinute }: GatewayLimits['attempts'], clock: Pick<Clock, 'monotonic'>): Attempts => {
  const buckets = createLru<string, Bucket>(MAX_BUCKETS)
  const tokensOf = (name: string, now: number): number => {
    const bucket = buckets.get(name)
    return bucket === undefined ? burst : Math.min(burst, bucket.tokens + ((now - bucket.at) / MINUTE_MS) * perMinute)
  }
  const add = (names: readonly string[], tokens: number, now: number): void => {
    for (const name of names) buckets.set(name, { tokens: Math.min(burst, tokensOf(name, now) + tokens), at: now })
  }
  return {
    take: (names) => {
      const now = clock.monotonic()
      if (names.some((name) => tokensOf(name, now) < 1)) return false
      add(names, -1, now)
      return true
    },
    giveBack: (names) => add(names, 1, clock.monotonic()),
  }
}
