import { either as E } from 'fp-ts'
import type { Envelope } from '../port.ts'
import { Lane } from '../session/lane.ts'
import { refusal } from '../session/refusal.ts'
import { sendFramed, sendPlain } from './answers.ts'
import type { AmqpChannel, AmqpConnection, Delivery } from './amqp.ts'
import { plainEnvelope, takeFramed, wrongEnvelope, type NotTaken } from './deliveries.ts'
import { DEAD } from './names.ts'
import type { PlainPeers } from './plain-peers.ts'
import type { ServerShared } from './shared.ts'

/** Where a consumer takes its messages from. */
export type Source =
  | { readonly tag: 'requests'; readonly queue: string; readonly shard: number }
  | { readonly tag: 'chunks'; readonly queue: string }
  | { readonly tag: 'plain'; readonly queue: string }

/** One queue, read over a channel of its own: each message is acknowledged when its answer has gone out, and never before. */
export class Consumer {
  readonly #shared: ServerShared
  readonly #source: Source
  readonly #channel: AmqpChannel
  readonly #answers: AmqpChannel
  readonly #plain: PlainPeers
  readonly #running = new Set<Promise<void>>()
  readonly #lane: Lane
  #stopped = false

  constructor(shared: ServerShared, source: Source, channels: { readonly taking: AmqpChannel; readonly answers: AmqpChannel }, plain: PlainPeers) {
    this.#shared = shared
    this.#source = source
    this.#channel = channels.taking
    this.#answers = channels.answers
    this.#plain = plain
    const { maxInFlight, maxInFlightBytes } = shared.limits
    const flow = { pause: (): void => undefined, resume: (): void => undefined }
    // What waits here is bounded by the window of unacknowledged messages.
    this.#lane = new Lane({ jobs: maxInFlight, bytes: maxInFlightBytes }, flow)
  }

  get closed(): Promise<string> {
    return this.#channel.closed
  }

  static async start(
    shared: ServerShared,
    source: Source,
    connection: AmqpConnection,
    answers: AmqpChannel,
    plain: PlainPeers,
  ): Promise<Consumer> {
    const taking = await connection.channel()
    const consumer = new Consumer(shared, source, { taking, answers }, plain)
    const window = source.tag === 'chunks' ? shared.chunkWindow : shared.limits.maxInFlight
    await taking.consume(source.queue, window, (delivery) => consumer.#take(delivery))
    return consumer
  }

  /** Takes nothing more, lets what has begun end, and gives the rest back to the queue, in its order. */
  async stop(): Promise<void> {
    this.#stopped = true
    const waiting = this.#lane.stop()
    await Promise.all([waiting, ...this.#running])
    await this.#channel.close()
  }

  #take(delivery: Delivery | undefined): void {
    // The queue was deleted under us: whoever runs this server declares it again.
    if (delivery === undefined) return void this.#channel.close()
    if (this.#stopped) return
    if (this.#source.tag === 'plain') this.#takePlain(delivery)
    else this.#takeFramed(delivery, this.#source)
  }

  #takeFramed(delivery: Delivery, source: Exclude<Source, { tag: 'plain' }>): void {
    const taken = takeFramed(delivery, source.tag === 'requests' ? { is: source.shard, of: this.#shared.shards } : undefined)
    if (E.isLeft(taken)) return this.#refuse(delivery, taken.left)
    const { envelope, peer } = taken.right
    this.#lane.add({ bytes: envelope.payload.byteLength, run: () => this.#during(delivery, () => this.#shared.answer(envelope, peer)) })
  }

  #takePlain(delivery: Delivery): void {
    const from = wrongEnvelope(delivery)
    if (E.isLeft(from)) return this.#refuse(delivery, from.left)
    const envelope = plainEnvelope(delivery)
    if (E.isLeft(envelope)) return this.#refuse(delivery, envelope.left)
    // One at a time: the bytes of a file come in several messages, and mean something in their order only.
    const { peer, lane } = this.#plain.of(from.right.user, from.right.replyTo)
    const run = (): Promise<void> => this.#during(delivery, () => this.#shared.answer(envelope.right, peer))
    lane.add({ bytes: delivery.content.length, run })
  }

  #refuse(delivery: Delivery, why: NotTaken): void {
    this.#shared.refused(delivery, why)
    if (why.tag === 'dead') return void this.#bury(delivery, why.reason)
    const { code, reason } = why.error
    const answer = refusal(this.#shared.clock, code === 'tooLarge' ? 413 : 400, code, reason)
    void this.#during(delivery, () => Promise.resolve(answer))
  }

  /** To the dead letters, with the reason; only then is it gone from its queue. */
  async #bury(delivery: Delivery, reason: string): Promise<void> {
    const { contentType, userId, replyTo } = delivery.properties
    const headers = { 'x-reason': reason, 'x-queue': this.#source.queue, 'x-user': String(userId ?? ''), 'x-reply-to': String(replyTo ?? '') }
    const fate = await this.#answers.publish(DEAD, '', delivery.content, { persistent: true, contentType, headers })
    if (fate === 'confirmed') this.#channel.ack(delivery)
    else this.#channel.nack(delivery, false)
  }

  async #during(delivery: Delivery, answer: () => Promise<Envelope>): Promise<void> {
    const job = this.#answer(delivery, answer)
    this.#running.add(job)
    await job
    this.#running.delete(job)
  }

  async #answer(delivery: Delivery, answer: () => Promise<Envelope>): Promise<void> {
    const given = await answer()
    if (this.#source.tag === 'plain') await sendPlain(this.#answers, delivery, given)
    else await this.#send(delivery, given)
    this.#channel.ack(delivery)
  }

  async #send(delivery: Delivery, given: Envelope): Promise<void> {
    const sent = await sendFramed(this.#answers, delivery, given, this.#shared.shards)
    if (E.isRight(sent)) return
    const fault = this.#shared.fault(new Error(sent.left))
    await sendFramed(this.#answers, delivery, fault, this.#shared.shards)
  }
}
