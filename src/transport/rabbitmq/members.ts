import { isHash, type Chunk } from '../../domain/content.ts'
import type { AccountId } from '../../domain/events.ts'
import type { Json } from '../../protocol/json.ts'
import type { Clock } from '../../lib/clock.ts'
import { Wakeup } from '../../lib/wakeup.ts'
import { parseObject } from '../session/framing.ts'
import type { AmqpChannel, Delivery } from './amqp.ts'
import { GATEWAYS, gatewayQueue } from './names.ts'

const BEAT_MS = 2000
/** Who has not been heard of for so long is taken for dead; the broker, which sees the connection end, has given its queues away before. */
const GONE_MS = 3.5 * BEAT_MS
/** Beats that wait to be read: none is worth more than the next one. */
const MOST_BEATS = 1024
/** Of uploads that are told and not yet heard of; what is dropped is sent to this gateway once more. */
const MOST_BYTES = 16 * 1024 * 1024

/** So long an upload waits for the broker at most: one with an alarm confirms nothing, and uploads come over WebSocket, too. */
const PATIENCE_MS = 1000
/** Of uploads that are told and not confirmed: what is told beyond them would only fill our memory. */
const MOST_UNCONFIRMED = 256

const LIMITS = { 'x-max-length': MOST_BEATS, 'x-max-length-bytes': MOST_BYTES }

/** What an account has uploaded to a gateway: the others take its word for it. */
export type HearUploads = (account: AccountId, chunks: readonly Chunk[]) => void

interface Wires {
  readonly taking: AmqpChannel
  readonly publishing: AmqpChannel
}

/** The gateways that serve this broker now, as this one has heard: each says every two seconds that it is there. */
export class Members {
  /** For as long as it is connected: one that comes back is another. */
  readonly id: string
  /** Called when a gateway has come or gone. */
  readonly changed = new Wakeup()
  readonly #clock: Clock
  readonly #wires: Wires
  readonly #heard = new Map<string, number>()
  readonly #uploads: HearUploads
  #unconfirmed = 0

  private constructor(id: string, clock: Clock, wires: Wires, uploads: HearUploads) {
    this.id = id
    this.#uploads = uploads
    this.#clock = clock
    this.#wires = wires
  }

  /** To be called when this gateway's consumers stand in line: whoever hears of it may leave its place to it. */
  static async join(id: string, clock: Clock, wires: Wires, uploads: HearUploads, signal: AbortSignal): Promise<Members> {
    const members = new Members(id, clock, wires, uploads)
    const queue = gatewayQueue(id)
    await wires.taking.queue(queue, { exclusive: true, autoDelete: true, durable: false, arguments: LIMITS })
    await wires.taking.bind(queue, GATEWAYS, '')
    await wires.taking.consume(queue, 0, (delivery) => members.#hear(delivery), true)
    void members.#beat(signal)
    return members
  }

  /** This one is always among them. */
  get live(): readonly string[] {
    return [this.id, ...this.#heard.keys()]
  }

  /** Resolves when the broker has it in the others' queues, or does not take it in time: then the sender is asked for the chunks once more. */
  async uploaded(account: AccountId, chunks: readonly Chunk[]): Promise<void> {
    if (this.#heard.size === 0 || this.#unconfirmed >= MOST_UNCONFIRMED) return
    const enough = new AbortController()
    await Promise.race([this.#tell(account, chunks), this.#clock.sleep(PATIENCE_MS, enough.signal)])
    enough.abort()
  }

  async #tell(account: AccountId, chunks: readonly Chunk[]): Promise<void> {
    this.#unconfirmed += 1
    await this.#say({ Gateway: this.id, Account: account, Chunks: chunks.map(({ hash, size }) => [hash, size]) })
    this.#unconfirmed -= 1
  }

  /** So that the others count on it no longer. Nobody waits for the broker to take it: without it they notice a little later. */
  leave(): void {
    void this.#say({ Gateway: this.id, Leaving: true })
  }

  async #beat(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const now = this.#clock.monotonic()
      for (const [id, at] of this.#heard) if (now - at > GONE_MS) this.#gone(id)
      // One at a time: what a broker with an alarm does not read would only fill our memory.
      await this.#say({ Gateway: this.id })
      await this.#clock.sleep(BEAT_MS, signal)
    }
  }

  async #say(message: object): Promise<void> {
    await this.#wires.publishing.publish(GATEWAYS, '', Buffer.from(JSON.stringify(message)), { contentType: 'application/json' })
  }

  #hear(delivery: Delivery | undefined): void {
    // The queue was deleted: whoever runs this server begins anew.
    if (delivery === undefined) return void this.#wires.taking.close()
    const message = parseObject(delivery.content)
    const { Gateway: id, Leaving: leaving, Account: account, Chunks: chunks } = message._tag === 'Right' ? message.right : {}
    if (typeof id !== 'string' || id === this.id) return
    if (leaving === true) return this.#gone(id)
    // Only gateways may publish here: an account's id is as it stands in their log.
    if (typeof account === 'string' && Array.isArray(chunks)) return this.#uploads(account as AccountId, chunks.flatMap(chunkIn))
    const isNew = !this.#heard.has(id)
    this.#heard.set(id, this.#clock.monotonic())
    if (isNew) this.changed.notify()
  }

  #gone(id: string): void {
    if (this.#heard.delete(id)) this.changed.notify()
  }
}

const chunkIn = (pair: Json): readonly Chunk[] => {
  if (!Array.isArray(pair)) return []
  const [hash, size] = pair as readonly Json[] // isArray makes its elements any
  return isHash(hash) && Number.isSafeInteger(size) && Number(size) >= 0 ? [{ hash, size: Number(size) }] : []
}
