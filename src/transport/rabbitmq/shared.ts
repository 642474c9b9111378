import type { Clock } from '../../lib/clock.ts'
import type { Envelope, Peer } from '../port.ts'
import type { Delivery } from './amqp.ts'
import type { NotTaken } from './deliveries.ts'
import type { PageBudget } from './page-budget.ts'
import type { AllSenders } from './senders.ts'
import type { Unread } from './unread.ts'

/** What all consumers of a server share. */
export interface ServerShared {
  readonly clock: Clock
  readonly shards: number
  /** As whom the gateways come to the broker. */
  readonly user: string
  readonly senders: AllSenders
  readonly unread: Unread
  readonly pages: PageBudget
  /** Chunks that one gateway works on at a time. */
  readonly chunkWindow: number
  /** How long what has begun may take to end, when a queue is given up. */
  readonly drainMs: number
  /** The handler's answer, or the transport's own where there is none. Never rejects. */
  readonly answer: (envelope: Envelope, peer: Peer) => Promise<Envelope>
  /** Tells of a fault of ours; what to answer. */
  readonly fault: (error: unknown) => Envelope
  readonly refused: (delivery: Delivery, why: NotTaken) => void
}
