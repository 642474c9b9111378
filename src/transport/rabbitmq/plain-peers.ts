import type { Clock } from '../../lib/clock.ts'
import type { Peer } from '../port.ts'
import { Lane } from '../session/lane.ts'
import { senderOf } from './deliveries.ts'

/** A client of PySync: what it announced, and is sending, belongs to it. */
export interface PlainPeer {
  readonly peer: Peer
  readonly lane: Lane
}

const MOST = 10_000
const FLOW = { pause: (): void => undefined, resume: (): void => undefined }

/** Clients of PySync by sender and reply address: there is no connection to know them by. Idle ones are forgotten. */
export class PlainPeers {
  readonly #clock: Clock
  readonly #idleMs: number
  readonly #peers = new Map<string, PlainPeer & { usedAt: number }>()

  constructor(clock: Clock, idleMs: number) {
    this.#clock = clock
    this.#idleMs = idleMs
  }

  of(user: string, replyTo: string): PlainPeer {
    const id = `${user} ${replyTo}`
    const known = this.#peers.get(id)
    const usedAt = this.#clock.monotonic()
    if (known !== undefined) {
      known.usedAt = usedAt
      return known
    }
    this.#forgetIdle(usedAt)
    const peer: Peer = { id, address: `amqp/${user}`, nonce: '', agent: senderOf(user), plain: true }
    const made = { peer, lane: new Lane({ jobs: 1, bytes: Number.MAX_SAFE_INTEGER }, FLOW), usedAt }
    this.#peers.set(id, made)
    return made
  }

  #forgetIdle(now: number): void {
    for (const [id, { usedAt, lane }] of this.#peers)
      if (lane.running === 0 && (now - usedAt > this.#idleMs || this.#peers.size > MOST)) this.#peers.delete(id)
  }
}
