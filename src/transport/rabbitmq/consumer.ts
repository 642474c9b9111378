import * as E from 'fp-ts/lib/Either.js'
import type { Envelope } from '../port.ts'
import { refusal } from '../session/refusal.ts'
import { sendFramed, sendPlain } from './answers.ts'
import type { AmqpChannel, AmqpConnection, Delivery } from './amqp.ts'
import { takeFramed, takePlain, type NotTaken, type Taken } from './deliveries.ts'
import { DEAD } from './names.ts'
import type { Sender, Senders } from './senders.ts'
import type { ServerShared } from './shared.ts'
import type { Channel } from './unread.ts'
import { QUEUE_WINDOW } from './window.ts'
import { bodyOf } from './wire.ts'

/** Where a consumer takes its messages from. */
export type Source =
  | { readonly tag: 'requests'; readonly queue: string; readonly shard: number }
  | { readonly tag: 'chunks'; readonly queue: string }
  | { readonly tag: 'plain'; readonly queue: string }

const UNREAD: NotTaken = { tag: 'busy', reason: 'It has not read what it was answered: read that first.' }
const BUSY: NotTaken = { tag: 'busy', reason: 'It has too many requests under way: come again when they are answered.' }

/** One queue, read over a channel of its own: each message is acknowledged when its answer has gone out, and never before. */
export class Consumer {
  readonly #shared: ServerShared
  readonly #source: Source
  readonly #channel: AmqpChannel
  readonly #answers: AmqpChannel
  readonly #senders: Senders
  readonly #running = new Set<Promise<void>>()
  #stopped = false

  constructor(shared: ServerShared, source: Source, taking: AmqpChannel, answers: AmqpChannel) {
    this.#shared = shared
    this.#source = source
    this.#channel = taking
    this.#answers = answers
    this.#senders = shared.senders[source.tag]
  }

  get closed(): Promise<string> {
    return this.#channel.closed
  }

  get stopped(): boolean {
    return this.#stopped
  }

  static async start(shared: ServerShared, source: Source, connection: AmqpConnection, answers: AmqpChannel): Promise<Consumer> {
    const taking = await connection.channel()
    const consumer = new Consumer(shared, source, taking, answers)
    await taking.consume(source.queue, source.tag === 'chunks' ? shared.chunkWindow : QUEUE_WINDOW, (delivery) => consumer.#take(delivery))
    return consumer
  }

  /** Takes nothing more, lets what has begun end (for as long as is allowed), and gives the rest back to the queue, in its order. */
  async stop(): Promise<void> {
    this.#stopped = true
    const enough = new AbortController()
    await Promise.race([Promise.all(this.#running), this.#shared.clock.sleep(this.#shared.drainMs, enough.signal)])
    enough.abort()
    await this.#channel.close()
  }

  #take(delivery: Delivery | undefined): void {
    // The queue was deleted under us: whoever runs this server declares it again.
    if (delivery === undefined) return void this.#channel.close()
    if (this.#stopped) return
    const taken = this.#decode(delivery)
    if (E.isLeft(taken)) return this.#refuse(delivery, taken.left)
    const { envelope, from, user, read } = taken.right
    const { unread, pages } = this.#shared
    unread.read(user, read)
    pages.read(user, read)
    // Who reads nothing is not worth any work.
    if (read !== undefined && !unread.fits(lineOf(delivery), 0)) return this.#refuse(delivery, UNREAD)
    const sender = this.#senders.of(from)
    // What waits when the channel is given up goes to whoever reads the queue next.
    const run = async (): Promise<void> => (this.#stopped ? undefined : this.#during(this.#handle(delivery, envelope, sender)))
    const dropped = (): void => this.#channel.ack(delivery)
    const admitted = this.#senders.admit(sender, { bytes: envelope.payload.byteLength, run, dropped })
    if (!admitted) this.#refuse(delivery, BUSY)
  }

  #decode(delivery: Delivery): E.Either<NotTaken, Taken> {
    const { user, shards } = this.#shared
    if (this.#source.tag === 'plain') return takePlain(delivery, user)
    return takeFramed(delivery, user, this.#source.tag === 'requests' ? { is: this.#source.shard, of: shards } : undefined)
  }

  #refuse(delivery: Delivery, why: NotTaken): void {
    this.#shared.refused(delivery, why)
    void this.#during(why.tag === 'dead' ? this.#bury(delivery, why.reason) : this.#answer(delivery, this.#refusal(why)))
  }

  async #during(job: Promise<void>): Promise<void> {
    this.#running.add(job)
    await job
    this.#running.delete(job)
  }

  async #handle(delivery: Delivery, envelope: Envelope, sender: Sender): Promise<void> {
    const answer = await this.#shared.answer(envelope, sender.peer)
    await this.#answer(delivery, sender.gone ? undefined : answer)
  }

  #refusal(why: NotTaken): Envelope {
    const { clock } = this.#shared
    switch (why.tag) {
      case 'busy':
        return refusal(clock, 503, 'busy', why.reason)
      case 'wrong':
        return refusal(clock, why.error.code === 'tooLarge' ? 413 : 400, why.error.code, why.error.reason)
      default:
        return refusal(clock, 403, 'agent', why.reason)
    }
  }

  /** To the dead letters, with the reason; only then is it gone from its queue. */
  async #bury(delivery: Delivery, reason: string): Promise<void> {
    const { properties, content } = delivery
    const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
    const contentType = textOf(properties.contentType)
    const correlationId = textOf(properties.correlationId)
    const headers = {
      'x-reason': reason,
      'x-queue': this.#source.queue,
      'x-time': new Date(this.#shared.clock.wall()).toISOString(),
      'x-user': textOf(properties.userId),
      'x-reply-to': textOf(properties.replyTo),
    }
    // The broker checks who says so: whoever reads the letter knows by it that the headers are a gateway's.
    const options = { persistent: true, userId: this.#shared.user, contentType, correlationId, headers }
    const fate = await this.#answers.publish(DEAD, '', content, options)
    if (fate === 'confirmed') this.#channel.ack(delivery)
    else this.#channel.nack(delivery, false)
  }

  /** `given` undefined: there is nobody to answer to. */
  async #answer(delivery: Delivery, given: Envelope | undefined): Promise<void> {
    if (given !== undefined) await this.#send(delivery, given)
    this.#channel.ack(delivery)
  }

  async #send(delivery: Delivery, given: Envelope): Promise<void> {
    if (this.#source.tag === 'plain') return sendPlain(this.#answers, delivery, given)
    const { unread, shards, fault } = this.#shared
    const to = lineOf(delivery)
    const answer = E.getOrElse((reason: string) => bytesOf(fault(new Error(reason))))(bodyOf('answer', given))
    const body = unread.fits(to, answer.length) ? answer : bytesOf(this.#refusal(UNREAD))
    if (unread.fits(to, body.length, true))
      await sendFramed(this.#answers, delivery, body, { 'x-shards': shards, 'x-answer': unread.sent(to, body.length) })
  }
}

/** Where its answer goes: what lies there unread counts against who asked. */
const lineOf = ({ properties }: Delivery): Channel => ({
  id: String(properties.replyTo),
  user: String(properties.userId),
})

/** Of a refusal, which is small. */
const bytesOf = (small: Envelope): Buffer => E.getOrElse((): Buffer => Buffer.alloc(0))(bodyOf('answer', small))
