import * as E from 'fp-ts/lib/Either.js'
import type { AgentKey } from '../../domain/events.ts'
import type { Clock } from '../../lib/clock.ts'
import type { JsonObject } from '../../protocol/json.ts'
import { NO_BYTES } from '../port.ts'
import { decodeFrame, type Frame, type Pieces } from '../session/framing.ts'
import type { Ending, Link, LinkListener } from '../session/link.ts'
import type { AmqpChannel, AmqpConnection, Delivery, Published } from './amqp.ts'
import { CHUNKS, REPLY_TO, requestQueue, REQUESTS, shardOf } from './names.ts'
import { SENDER_WINDOW, SENDER_WINDOW_BYTES } from './window.ts'
import { CONTENT_TYPE, frameIn } from './wire.ts'

/** A request that stays unanswered for so long holds its place in the window no longer: the link ends, and another is made. */
const PATIENCE_MS = 120_000

/**
 * The broker takes requests while no gateway runs, and says nothing of it. So after so long without an answer, and now and then anyway, the link
 * looks whether anybody reads the requests.
 */
const LOOK_MS = 5_000
const LOOK_ANYWAY_MS = 60_000

/** Gateways times channels whose answers are told apart. */
const MOST_LINES = 32

/** What a link stands on; it owns all of it. */
export interface Wires {
  readonly connections: readonly AmqpConnection[]
  readonly requests: AmqpChannel
  /** On a connection of its own: bulk bytes hold up nothing else. */
  readonly chunks: AmqpChannel
  /** As whom it came; undefined: not enrolled yet. */
  readonly agent: AgentKey | undefined
  /** The broker's name for it: every message carries it, and the broker checks it. */
  readonly user: string
  readonly nonce: string
  /** The broker does not let the agent in as itself: a sign-in is to tell whether the gateway says so, too, and nothing else. */
  readonly asksOnly: boolean
  readonly clock: Clock
}

const WHY: Readonly<Record<Exclude<Published, 'confirmed'>, string>> = {
  returned: 'No gateway has set up its queues at the broker yet.',
  refused: 'The broker takes no more for the moment.',
  lost: 'The connection to the broker was lost.',
}

/**
 * An agent's line to the gateways: a frame of the session becomes a message at the broker, and an answer comes back as a frame. The
 * challenge that opens a session is made here: the broker has checked already who this is.
 */
export class RabbitLink implements Link {
  readonly #wires: Wires
  readonly #closed = Promise.withResolvers<string>()
  /** Where the requests of a folder go; told by every answer. */
  #shards = 1
  #listener: LinkListener | undefined
  /** What was sent and not answered, by correlation id, the oldest first. */
  readonly #unanswered = new Map<number, { readonly bytes: number; readonly since: number }>()
  #bytes = 0
  /** The token of the last answer, for each gateway that answers and each channel that it comes on. */
  readonly #read = new Map<string, string>()
  #received = 0
  #ended = false
  readonly #over = new AbortController()

  constructor(wires: Wires) {
    this.#wires = wires
    const over = [...wires.connections, wires.requests, wires.chunks]
    for (const each of over) void each.closed.then((reason) => this.#end(reason))
  }

  listen(listener: LinkListener): void {
    this.#listener = listener
    void this.#closed.promise.then(listener.closed)
    void this.#watch()
    queueMicrotask(() => this.#frame({ type: 'challenge', id: 0, head: { Nonce: this.#wires.nonce }, payload: NO_BYTES }))
  }

  send(pieces: Pieces, flushed: () => void): void {
    const frame = decodeFrame(pieces)
    // The session encodes what it sends; a frame that can't be read again would be its mistake.
    if (E.isLeft(frame)) throw new Error(frame.left.reason)
    void this.#publish(frame.right, Buffer.concat(pieces)).finally(flushed)
  }

  /** What the broker holds for a gateway is bounded by the window: a full one looks like a line that takes nothing. */
  buffered(): number {
    const full = this.#unanswered.size >= SENDER_WINDOW || this.#bytes >= SENDER_WINDOW_BYTES
    return full ? Number.MAX_SAFE_INTEGER : 0
  }

  received(): number {
    return this.#received
  }

  /** What the broker sends of answers is bounded by what was asked for, and of notifications by their queue. */
  pause(): void {
    // Nothing to hold back.
  }

  resume(): void {
    // Nothing was held back.
  }

  close(_: Ending, reason: string): void {
    this.#end(reason)
  }

  terminate(): void {
    this.#end('It was cut off.')
  }

  /** To be called with each message that comes in, on whichever channel. */
  take(delivery: Delivery | undefined): void {
    if (delivery === undefined) return this.#end('The broker took away the queue of this agent.')
    const { content, properties } = delivery
    this.#received += content.length
    const shards: unknown = properties.headers?.['x-shards']
    if (typeof shards === 'number' && shards >= 1) this.#shards = shards
    this.#note(properties.headers?.['x-answer'])
    const frame = frameIn(content)
    if (E.isLeft(frame)) return this.#listener?.received(frame)
    const id = Number(properties.correlationId ?? 0)
    if (frame.right.type === 'answer') this.#answered(id)
    if (this.#wires.asksOnly && frame.right.head['Status'] === 200)
      return this.#end('The broker refuses this device, though the gateway does not.')
    this.#frame({ ...frame.right, id })
  }

  /** Gateways answer only so much more than what they know to be read. */
  #note(token: unknown): void {
    if (typeof token !== 'string') return
    const line = token.split('.', 2).join('.')
    this.#read.delete(line)
    this.#read.set(line, token)
    const [oldest] = this.#read.keys()
    if (oldest !== undefined && this.#read.size > MOST_LINES) this.#read.delete(oldest)
  }

  #answered(id: number): void {
    this.#bytes -= this.#unanswered.get(id)?.bytes ?? 0
    this.#unanswered.delete(id)
  }

  async #watch(): Promise<void> {
    const { clock } = this.#wires
    for (let looked = clock.monotonic(); ;) {
      await clock.sleep(LOOK_MS, this.#over.signal)
      if (this.#ended) return
      const now = clock.monotonic()
      const waited = now - (this.#unanswered.values().next().value?.since ?? now)
      if (waited > PATIENCE_MS) return this.#end('No gateway answers.')
      if (waited < LOOK_MS && now - looked < LOOK_ANYWAY_MS) continue
      looked = now
      if (await this.#isAlone()) return this.#end('No gateway takes requests from the broker.')
    }
  }

  /** Every gateway reads all request queues, or waits to: one tells of all. */
  async #isAlone(): Promise<boolean> {
    const [connection] = this.#wires.connections
    // Where the connection has ended there is nothing to look at; the link ends with it.
    return (await connection?.readersOf(requestQueue(0)).catch(() => undefined)) === 0
  }

  #frame(frame: Frame): void {
    if (!this.#ended) this.#listener?.received(E.right(frame))
  }

  async #publish({ id, head }: Frame, content: Buffer): Promise<void> {
    const { requests, chunks, connections, user, nonce, clock } = this.#wires
    // What the broker does not read would only fill our memory.
    if (connections.some(({ blocked }) => blocked)) return this.#refuse(id, 'The broker has an alarm, and takes nothing for the moment.')
    const bulk = head['Action'] === 'Chunks'
    this.#unanswered.set(id, { bytes: content.length, since: clock.monotonic() })
    this.#bytes += content.length
    const fate = await (bulk ? chunks : requests).publish(bulk ? CHUNKS : REQUESTS, bulk ? '' : this.#keyOf(head), content, {
      contentType: CONTENT_TYPE,
      correlationId: String(id),
      replyTo: REPLY_TO,
      userId: user,
      persistent: !bulk,
      mandatory: true,
      headers: { nonce, read: [...this.#read.values()] },
    })
    if (fate !== 'confirmed') this.#refuse(id, WHY[fate])
  }

  /** Before the first answer the only shard known to be there is the first. */
  #keyOf({ Folder: folder, Action: action }: JsonObject): string {
    if (action === 'SignIn') return '0'
    return String(shardOf(typeof folder === 'string' ? folder : (this.#wires.agent ?? ''), this.#shards))
  }

  /** As the gateway would say it: it was not handled, and may be asked again later. */
  #refuse(id: number, reason: string): void {
    this.#answered(id)
    this.#frame({ type: 'answer', id, head: { Action: 'ServerResponse', Status: 503, Code: 'busy', Reason: reason }, payload: NO_BYTES })
  }

  #end(reason: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#over.abort()
    const gone = this.#wires.connections.map((connection) => connection[Symbol.asyncDispose]())
    void Promise.all(gone).then(() => this.#closed.resolve(reason))
  }
}
