import type { AgentKey } from '../../domain/events.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Peer } from '../port.ts'
import { Lane, type LaneLimits } from '../session/lane.ts'
import type { ServerLimits } from '../session/options.ts'
import { SENDER_WINDOW } from './window.ts'

/** What all senders together may hold in this process (I16). A queue's own bound counts messages, not bytes. */
const BUDGET_BYTES = 256 * 1024 * 1024
const MOST = 10_000
const FLOW = { pause: (): void => undefined, resume: (): void => undefined }

/** Who a message came from. The broker has checked it, so no handler can make it somebody else. */
class BrokerPeer implements Peer {
  readonly id: string
  readonly address: string
  readonly nonce: string
  readonly plain: boolean
  readonly #agent: AgentKey | undefined

  constructor({ agent, ...is }: Readonly<Peer>) {
    this.id = is.id
    this.address = is.address
    this.nonce = is.nonce
    this.plain = is.plain
    this.#agent = agent
  }

  get agent(): AgentKey | undefined {
    return this.#agent
  }

  // A sign-in as another than the broker's user stays without effect.
  set agent(_: AgentKey | undefined) {}
}

/** One place that requests come from: a connection of an agent, as far as a queue shows one. */
export interface Sender {
  readonly peer: Peer
  /** It was cut off: nothing is answered to it any more. */
  readonly gone: boolean
}

/** A message's share of what its sender may hold. */
export interface Work {
  readonly bytes: number
  readonly run: () => Promise<void>
  /** Called instead of `run` where it never begins, because its sender was cut off. */
  readonly dropped: () => void
}

interface Known extends Sender {
  readonly lane: Lane
  readonly waiting: Set<Work>
  gone: boolean
  held: number
  usedAt: number
}

interface SenderLimits extends LaneLimits {
  /** After so long without a message a sender, and what it has announced, is forgotten. */
  readonly idleMs: number
}

/** Who sends through each kind of queue. */
export type AllSenders = Readonly<Record<'requests' | 'chunks' | 'plain', Senders>>

export const allSenders = (clock: Clock, { maxInFlight, maxInFlightBytes, plainIdleMs }: ServerLimits): AllSenders => {
  const budget = new Budget()
  const some = (jobs: number): Senders => new Senders(clock, { jobs, bytes: maxInFlightBytes, idleMs: plainIdleMs }, budget)
  // The bytes of PySync's files come in several messages, and mean something in their order only.
  return { requests: some(maxInFlight), chunks: some(maxInFlight), plain: some(1) }
}

/**
 * The senders of one kind of queue. Each has its own bounds: who sends more than its share is told so at once, so that an agent whose requests
 * hang does not stop those who share its queue.
 */
export class Senders {
  readonly #clock: Clock
  readonly #limits: SenderLimits
  readonly #budget: Budget
  readonly #known = new Map<string, Known>()

  constructor(clock: Clock, limits: SenderLimits, budget: Budget) {
    this.#clock = clock
    this.#limits = limits
    this.#budget = budget
  }

  of(is: Readonly<Peer>): Sender {
    const known = this.#known.get(is.id)
    const usedAt = this.#clock.monotonic()
    if (known !== undefined) {
      known.usedAt = usedAt
      return known
    }
    this.#forgetIdle(usedAt)
    const made = { peer: new BrokerPeer(is), lane: new Lane(this.#limits, FLOW), waiting: new Set<Work>(), gone: false, held: 0, usedAt }
    this.#known.set(is.id, made)
    return made
  }

  /** Runs the work in its turn. False: it is beyond the sender's share, or beyond what all may hold; nothing is run. */
  admit(sender: Sender, work: Work): boolean {
    const known = this.#known.get(sender.peer.id)
    if (known === undefined || known.held >= this.#limits.jobs + SENDER_WINDOW || !this.#budget.take(work.bytes)) return false
    known.held += 1
    known.waiting.add(work)
    const run = async (): Promise<void> => {
      known.waiting.delete(work)
      await work.run()
      known.held -= 1
      this.#budget.giveBack(work.bytes)
    }
    known.lane.add({ bytes: work.bytes, run })
    return true
  }

  /** Begins nothing more of an agent's that waits, and lets nothing of it be answered. */
  cut(agent: AgentKey): void {
    for (const [id, known] of this.#known) {
      if (known.peer.agent !== agent) continue
      this.#known.delete(id)
      known.gone = true
      void known.lane.stop()
      for (const work of known.waiting) {
        this.#budget.giveBack(work.bytes)
        work.dropped()
      }
    }
  }

  #forgetIdle(now: number): void {
    for (const [id, { usedAt, held }] of this.#known)
      if (held === 0 && (now - usedAt > this.#limits.idleMs || this.#known.size > MOST)) this.#known.delete(id)
  }
}

/** Bytes that all queues' senders share; one message may always be held. */
class Budget {
  #held = 0

  take(bytes: number): boolean {
    if (this.#held > 0 && this.#held + bytes > BUDGET_BYTES) return false
    this.#held += bytes
    return true
  }

  giveBack(bytes: number): void {
    this.#held -= bytes
  }
}
