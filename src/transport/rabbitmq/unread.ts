import type { Clock } from '../../lib/clock.ts'
import type { RandomBytes } from '../session/options.ts'

const MiB = 1024 * 1024

/** What one channel of an agent may leave unread, and all of one user together: the broker keeps what it sends in memory until it is read, and asks nobody. */
export interface UnreadLimits {
  readonly channel: number
  readonly user: number
}

const ANSWERS: UnreadLimits = { channel: 48 * MiB, user: 128 * MiB }
/** To say that there is too much is an answer, too: after so much of it nothing more is said. */
const WORDS_BYTES = MiB
/** What an answer costs the broker beside its bytes. */
const OVERHEAD = 1024
/** By then the broker has cut whoever reads nothing (`send_timeout`, docs/operations.md), or it has read. */
const FORGOTTEN_MS = 300_000
/** Channels of one user that are told apart; of more the oldest can only be forgotten. */
const MOST_LINES = 64
/** Tokens of one request that are looked at: one for each gateway would do. */
const MOST_TOKENS = 64

/** Where answers go: one channel of a user. */
export interface Channel {
  readonly id: string
  readonly user: string
}

interface Answer {
  readonly secret: string
  readonly bytes: number
}

interface Line {
  readonly number: number
  /** Not known to be read; the first of them is the answer of number `first`. */
  readonly answers: Answer[]
  first: number
  bytes: number
  usedAt: number
}

interface User {
  readonly lines: Map<string, Line>
  /** Of lines that are not told apart any more. */
  readonly others: { bytes: number; usedAt: number }
}

const bytesOf = ({ lines, others }: User): number => [...lines.values()].reduce((sum, { bytes }) => sum + bytes, others.bytes)

/**
 * What was answered and, as far as anybody can know, not read. Each answer carries a token that only its reader can know, and each request the
 * latest tokens of what its sender has read: so nobody who reads nothing can say that it did.
 */
export class Unread {
  readonly #gateway: string
  readonly #clock: Clock
  readonly #random: RandomBytes
  readonly #users = new Map<string, User>()
  readonly #limits: UnreadLimits
  #made = 0

  constructor(clock: Clock, random: RandomBytes, limits: UnreadLimits = ANSWERS) {
    this.#limits = limits
    this.#clock = clock
    this.#random = random
    this.#gateway = this.#secret()
  }

  /** Whether so many bytes may still be sent there; `words`: only in order to say that nothing else may. */
  fits({ id, user }: Channel, bytes: number, words = false): boolean {
    const known = this.#users.get(user)
    if (known === undefined) return true
    const more = bytes + OVERHEAD - (words ? WORDS_BYTES : 0)
    return (known.lines.get(id)?.bytes ?? 0) + more <= this.#limits.channel && bytesOf(known) + more <= this.#limits.user
  }

  /** To be called with each answer that goes out; its token. */
  sent({ id, user }: Channel, bytes: number): string {
    const line = this.#lineOf(this.#userOf(user), id)
    const secret = this.#secret()
    line.answers.push({ secret, bytes: bytes + OVERHEAD })
    line.bytes += bytes + OVERHEAD
    return `${this.#gateway}.${line.number}.${line.first + line.answers.length - 1}.${secret}`
  }

  /** To be called with what a user's request says that it has read. */
  read(user: string, tokens: unknown): void {
    const known = this.#users.get(user)
    if (known === undefined) return
    this.#forgetIdle(user, known)
    if (!Array.isArray(tokens)) return
    for (const token of tokens.slice(0, MOST_TOKENS)) if (typeof token === 'string') this.#readOne(known, token)
  }

  #readOne({ lines }: User, token: string): void {
    const [gateway, of, number, secret] = token.split('.')
    if (gateway !== this.#gateway) return
    const line = [...lines.values()].find((each) => each.number === Number(of))
    const at = Number(number) - (line?.first ?? 0)
    // What comes on one channel comes in order: who has read this one has read all before it.
    if (line?.answers[at]?.secret !== secret || line === undefined) return
    const read = line.answers.splice(0, at + 1)
    line.first += read.length
    line.usedAt = this.#clock.monotonic()
    line.bytes -= read.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  #userOf(name: string): User {
    const known = this.#users.get(name)
    if (known !== undefined) return known
    for (const [other, user] of this.#users) this.#forgetIdle(other, user)
    const made = { lines: new Map<string, Line>(), others: { bytes: 0, usedAt: 0 } }
    this.#users.set(name, made)
    return made
  }

  #lineOf({ lines, others }: User, id: string): Line {
    const usedAt = this.#clock.monotonic()
    const known = lines.get(id)
    if (known !== undefined) {
      known.usedAt = usedAt
      return known
    }
    const [oldest] = lines
    if (oldest !== undefined && lines.size >= MOST_LINES) {
      lines.delete(oldest[0])
      others.bytes += oldest[1].bytes
      others.usedAt = usedAt
    }
    this.#made += 1
    const line = { number: this.#made, answers: [], first: 0, bytes: 0, usedAt }
    lines.set(id, line)
    return line
  }

  #forgetIdle(name: string, { lines, others }: User): void {
    const since = this.#clock.monotonic() - FORGOTTEN_MS
    for (const [id, { usedAt }] of lines) if (usedAt < since) lines.delete(id)
    if (others.usedAt < since) others.bytes = 0
    if (lines.size === 0 && others.bytes === 0) this.#users.delete(name)
  }

  #secret(): string {
    return Buffer.from(this.#random(9)).toString('base64url')
  }
}
