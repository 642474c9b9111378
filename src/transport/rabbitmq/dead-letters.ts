import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { parseObject } from '../session/framing.ts'
import { AmqpConnection, BrokerError, userOf, type AmqpChannel, type BrokerAddress, type Delivery, type Lying } from './amqp.ts'
import { readLetter, routeOf, type DeadLetter } from './letter.ts'
import { DEAD, DEAD_READER, REPLY_TO } from './names.ts'
import { CONTENT_TYPE, frameIn } from './wire.ts'

export type { DeadLetter }

/** What is to become of a letter that was looked at; `last`: nothing more is to be looked at. */
export interface Verdict {
  readonly remove?: boolean
  readonly last?: boolean
}

export interface Shown extends DeadLetter {
  /** Sends it again as it was, through the queue that it is for; resolves when a gateway has answered, or has not for a while. Rejects with a {@link BrokerError}. */
  readonly resend: () => Promise<Resent>
}

export type Resent =
  | { readonly tag: 'answered'; readonly status: number; readonly reason: string }
  /** It lies in its queue, and will be answered, or come back here. */
  | { readonly tag: 'waiting' }
  | { readonly tag: 'notSent'; readonly reason: string }

export interface DeadLetters extends AsyncDisposable {
  /**
   * Shows the letters that lie there now, one at a time. All that are not to be removed lie there afterwards, however it ends; in their order,
   * unless this process is killed meanwhile. Rejects with a {@link BrokerError}, and with what `visit` rejects with.
   */
  walk(visit: (letter: Shown) => Promise<Verdict>): Promise<void>
}

export interface DeadLettersOptions {
  readonly broker: BrokerAddress
  readonly shards: number
  readonly signal: AbortSignal
  /** How long a gateway's answer to a letter is awaited. */
  readonly patienceMs: number
}

/** Rejects with a {@link BrokerError}. */
export const openDeadLetters = async (options: DeadLettersOptions): Promise<DeadLetters> => {
  await using parts = new AsyncDisposableStack()
  const connection = parts.use(await AmqpConnection.open(options.broker, 'eventsync dead-letters', options.signal))
  if (!(await connection.hasQueue(DEAD)))
    throw new BrokerError('nothing', `there is no queue ${DEAD}: the first gateway that starts declares it`)
  await connection.claim(DEAD_READER)
  const sender = new Sender(connection, options)
  const all = parts.move()
  return { walk: (visit) => walk(connection, sender, visit), [Symbol.asyncDispose]: () => all.disposeAsync() }
}

const walk = async (connection: AmqpConnection, sender: Sender, visit: (letter: Shown) => Promise<Verdict>): Promise<void> => {
  const channel = await connection.channel()
  let held = 0
  try {
    // A letter that comes in meanwhile, one that failed again above all, is for the next time.
    let left = Number.MAX_SAFE_INTEGER
    // All are taken, whatever is sought and whatever comes in: what is given back goes to the end, and those that go together keep their order.
    for (let got = await channel.get(DEAD); got !== undefined; got = await channel.get(DEAD)) {
      left = Math.min(left, got.fields.messageCount + 1)
      const { remove, last } = left > 0 ? await show(got, sender, visit) : NOTHING
      left = last === true ? 0 : left - 1
      if (remove === true) channel.ack(got)
      else held += 1
    }
  } finally {
    channel.giveBackAll()
    await channel.close()
    await untilGivenBack(connection, held)
  }
}

const NOTHING: Verdict = {}

const show = (got: Lying, sender: Sender, visit: (letter: Shown) => Promise<Verdict>): Promise<Verdict> => {
  const letter = readLetter(got, sender.user)
  return visit({ ...letter, resend: () => sender.send(got, letter) })
}

const GIVEN_BACK_MS = 5000

/** The broker does so a moment later: whoever looked before that would find the letters in another order, and leave them in it. */
const untilGivenBack = async (connection: AmqpConnection, held: number): Promise<void> => {
  const deadline = performance.now() + GIVEN_BACK_MS
  while (performance.now() < deadline && (await connection.lying(DEAD)) < held) await setTimeout(10)
}

/** Sends letters again, one at a time, and hears what a gateway says to each. */
class Sender {
  readonly user: string
  readonly #connection: AmqpConnection
  readonly #options: DeadLettersOptions
  readonly #awaited = new Map<string, (delivery: Delivery) => void>()
  #channel: AmqpChannel | undefined

  constructor(connection: AmqpConnection, options: DeadLettersOptions) {
    this.user = userOf(options.broker)
    this.#connection = connection
    this.#options = options
  }

  async send({ content }: Lying, letter: DeadLetter): Promise<Resent> {
    const route = routeOf(letter, this.#options.shards)
    if (E.isLeft(route)) return { tag: 'notSent', reason: route.left }
    if (this.#connection.blocked) return { tag: 'notSent', reason: 'the broker has an alarm, and takes nothing for the moment' }
    const correlationId = randomUUID()
    const answered = Promise.withResolvers<Delivery>()
    this.#awaited.set(correlationId, answered.resolve)
    const { channel, ended } = await this.#open()
    const patience = Promise.withResolvers<'late'>()
    const timer = globalThis.setTimeout(() => patience.resolve('late'), this.#options.patienceMs)
    try {
      // As whom it comes is the truth: nothing on the way takes it for its first sender's, whose name is a remark.
      const properties = { contentType: letter.contentType, correlationId, replyTo: REPLY_TO, userId: this.user, mandatory: true }
      const publishing = channel.publish(route.right.exchange, route.right.key, content, {
        ...properties,
        persistent: true,
        headers: { 'x-user': letter.sender },
      })
      const fate = await Promise.race([publishing, patience.promise])
      if (fate !== 'confirmed') return { tag: 'notSent', reason: WHY[fate] }
      const answer = await Promise.race([answered.promise, ended, patience.promise])
      return typeof answer === 'string' ? { tag: 'waiting' } : answerOf(answer)
    } finally {
      clearTimeout(timer)
      this.#awaited.delete(correlationId)
    }
  }

  /** The channel on which answers come to whoever asked on it. */
  async #open(): Promise<{ readonly channel: AmqpChannel; readonly ended: Promise<string> }> {
    if (this.#channel === undefined) {
      this.#channel = await this.#connection.channel()
      await this.#channel.consume(REPLY_TO, 0, (delivery) => delivery && this.#heard(delivery), true)
    }
    return { channel: this.#channel, ended: this.#channel.closed }
  }

  #heard(delivery: Delivery): void {
    this.#awaited.get(String(delivery.properties.correlationId))?.(delivery)
  }
}

const WHY: Readonly<Record<'returned' | 'refused' | 'lost' | 'late', string>> = {
  returned: 'there is no such request queue (is EVENTSYNC_AMQP_SHARDS the number of the installation?)',
  refused: 'the broker takes no more into its queue for the moment',
  lost: 'the connection to the broker was lost',
  late: 'the broker did not take it in time',
}

const answerOf = ({ content, properties }: Delivery): Resent => {
  const isFrame = properties.contentType === CONTENT_TYPE
  const message = isFrame ? E.map(({ head }: { readonly head: object }) => head)(frameIn(content)) : parseObject(content)
  const { Status: status, Reason: reason }: Readonly<Record<string, unknown>> = E.isRight(message) ? { ...message.right } : {}
  return { tag: 'answered', status: typeof status === 'number' ? status : 0, reason: typeof reason === 'string' ? reason : '' }
}
