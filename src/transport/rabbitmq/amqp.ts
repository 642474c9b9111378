import { getCACertificates } from 'node:tls'
import { connect, type ChannelModel, type ConfirmChannel, type ConsumeMessage, type GetMessage, type Options } from 'amqplib'
import { certificateTrouble } from '../../lib/certificate-trouble.ts'

/** A broker's address with its credentials in it (never told to anybody), and what trust in it rests on. */
export interface BrokerAddress {
  /** `amqp://USER:PASSWORD@HOST:PORT/VHOST`, or `amqps://…`. */
  readonly url: string
  /** PEM, in place of the authorities that the system and Node trust. */
  readonly ca?: string
}

/** What became of a published message: `returned`: no queue took it; `refused`: the broker would not; `lost`: nobody knows. */
export type Published = 'confirmed' | 'returned' | 'refused' | 'lost'

export type Delivery = ConsumeMessage
/** A message that was taken from where it lay in a queue. */
export type Lying = GetMessage

/** Why the broker cannot be used, in words that hold no credentials. `refused`: it did not let this user in; `nothing`: it is not set up; `held`: by somebody else. */
export class BrokerError extends Error {
  readonly tag: 'away' | 'refused' | 'nothing' | 'held'

  constructor(tag: BrokerError['tag'], reason: string) {
    super(reason)
    this.tag = tag
  }
}
export type QueueOptions = Options.AssertQueue

/** Seconds; the smaller of this and the broker's counts. */
const HEARTBEAT = 10

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const whyNot = (error: unknown): BrokerError => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (/ACCESS_REFUSED|403/.test(textOf(error)))
    return new BrokerError(
      'refused',
      'The broker refused the connection: the credentials, or the gateway that vouches for them, are not there.',
    )
  const trouble = certificateTrouble(`${code} ${textOf(error)}`, 'NODE_EXTRA_CA_CERTS')
  if (trouble !== undefined) return new BrokerError('away', `The broker cannot be trusted: ${trouble}.`)
  return new BrokerError('away', `The broker cannot be reached${code === '' ? '' : ` (${code})`}.`)
}

const authorities = ({ ca }: BrokerAddress): string[] =>
  ca === undefined ? [...getCACertificates('default'), ...getCACertificates('system')] : [ca]

const CLOSE_MS = 2000

/** A closing that the other side never confirms would never resolve; the heartbeat ends what is left of it. */
const withinPatience = async (closing: Promise<void>, ended: Promise<unknown>): Promise<void> => {
  const enough = Promise.withResolvers<void>()
  const timer = setTimeout(enough.resolve, CLOSE_MS)
  await Promise.race([closing.catch(() => undefined), ended, enough.promise])
  clearTimeout(timer)
}

/** One channel. It ends by itself on a broker's refusal; whoever holds it looks at `closed`. */
export class AmqpChannel {
  readonly #channel: ConfirmChannel
  readonly #end = Promise.withResolvers<string>()
  /** Messages that the broker gave back, until their confirm tells their fate. */
  readonly #returned = new Set<string>()
  readonly #unconfirmed = new Set<(fate: Published) => void>()
  #published = 0
  #ended = false

  constructor(channel: ConfirmChannel) {
    this.#channel = channel
    let why = 'The channel was closed.'
    channel.on('error', (error) => (why = textOf(error)))
    channel.on('close', () => this.end(why))
    channel.on('return', ({ properties }) => this.#returned.add(String(properties.messageId)))
  }

  /** Resolves, with the reason, when it is of no more use. */
  get closed(): Promise<string> {
    return this.#end.promise
  }

  get ended(): boolean {
    return this.#ended
  }

  /** To be called when its connection has ended; the channel itself may not hear of it. */
  end(why: string): void {
    if (this.#ended) return
    this.#ended = true
    for (const settle of [...this.#unconfirmed]) settle('lost')
    this.#end.resolve(why)
  }

  /** Publishes, and resolves when the broker has said what it did with it; never rejects. */
  publish(exchange: string, key: string, content: Buffer, options: Options.Publish): Promise<Published> {
    if (this.#ended) return Promise.resolve('lost')
    this.#published += 1
    const messageId = String(this.#published)
    return new Promise((resolve) => {
      const settle = (fate: Published): void => {
        if (this.#unconfirmed.delete(settle)) resolve(fate)
      }
      this.#unconfirmed.add(settle)
      const confirmed = (error: unknown): void => {
        const returned = this.#returned.delete(messageId)
        if (error === null || error === undefined) settle(returned ? 'returned' : 'confirmed')
        else settle(this.#ended ? 'lost' : 'refused')
      }
      try {
        this.#channel.publish(exchange, key, content, { ...options, messageId }, confirmed)
      } catch {
        // It is closing: what was not confirmed may or may not have arrived.
        settle('lost')
      }
    })
  }

  /** Deliveries in order; undefined: the queue was deleted, or its node left. At most `window` are unacknowledged. */
  async consume(queue: string, window: number, take: (delivery: Delivery | undefined) => void, noAck = false): Promise<void> {
    if (!noAck) await this.#channel.prefetch(window)
    await this.#channel.consume(queue, (delivery) => take(delivery ?? undefined), { noAck })
  }

  /** The message at the front of a queue, which is held until it is acknowledged or given back; undefined: none. Rejects where the channel has ended. */
  async get(queue: string): Promise<Lying | undefined> {
    const ended = this.closed.then((why) => Promise.reject(new BrokerError('away', why)))
    const got = await Promise.race([this.#channel.get(queue), ended])
    return got === false ? undefined : got
  }

  /** Everything that was taken and not acknowledged goes back to its queue, in its order (to its end: a quorum queue knows no other place). */
  giveBackAll(): void {
    if (!this.#ended) this.#try(() => this.#channel.nackAll(true))
  }

  /** A channel that has ended has given its deliveries back already. */
  ack(delivery: Delivery | Lying): void {
    if (!this.#ended) this.#try(() => this.#channel.ack(delivery))
  }

  /** `again`: it goes back to its queue; otherwise to the dead letters, where its queue has some. */
  nack(delivery: Delivery, again: boolean): void {
    if (!this.#ended) this.#try(() => (again ? this.#channel.nack(delivery, false, true) : this.#channel.reject(delivery, false)))
  }

  async exchange(name: string, type: 'direct' | 'topic' | 'fanout'): Promise<void> {
    await this.#channel.assertExchange(name, type, { durable: true })
  }

  async queue(name: string, options: QueueOptions): Promise<void> {
    await this.#channel.assertQueue(name, options)
  }

  async bind(queue: string, exchange: string, key: string): Promise<void> {
    await this.#channel.bindQueue(queue, exchange, key)
  }

  async close(): Promise<void> {
    if (!this.#ended) await withinPatience(this.#channel.close(), this.#end.promise)
    this.end('It was closed.')
  }

  #try(act: () => void): void {
    try {
      act()
    } catch {
      // It is closing: the broker gives the delivery to somebody again.
    }
  }
}

/** One connection, without any recovery: it lives until `closed` resolves, and whoever needs it makes another. */
export class AmqpConnection implements AsyncDisposable {
  readonly #model: ChannelModel
  readonly #end = Promise.withResolvers<string>()
  readonly #channels = new Set<AmqpChannel>()
  #blocked = false
  #ended = false

  private constructor(model: ChannelModel) {
    this.#model = model
    let why = 'The connection to the broker was lost.'
    model.on('error', (error) => (why = `The connection to the broker was lost: ${textOf(error)}.`))
    model.on('close', () => this.#finish(why))
    model.on('blocked', () => (this.#blocked = true))
    model.on('unblocked', () => (this.#blocked = false))
  }

  /** Rejects with a {@link BrokerError}. `name` is what the operator sees in the broker's list. */
  static async open(address: BrokerAddress, name: string, signal: AbortSignal): Promise<AmqpConnection> {
    const opening = connect(withHeartbeat(address.url), {
      noDelay: true,
      keepAlive: true,
      timeout: 15_000,
      clientProperties: { connection_name: name },
      ...(address.url.startsWith('amqps:') ? { ca: authorities(address) } : {}),
    }).catch((error: unknown) => {
      throw whyNot(error)
    })
    const aborted = new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(new BrokerError('away', 'Connecting was given up.')), { once: true }),
    )
    try {
      return new AmqpConnection(await Promise.race([opening, aborted]))
    } catch (error) {
      // It may still come about: nobody wants it then.
      void opening.then(
        (late) => {
          // Without anybody to hear it, a connection that breaks off meanwhile would end the process.
          late.on('error', () => undefined)
          return late.close().catch(() => undefined)
        },
        () => undefined,
      )
      throw error
    }
  }

  get closed(): Promise<string> {
    return this.#end.promise
  }

  /** The broker has an alarm (memory or disk): it reads nothing that is published now. */
  get blocked(): boolean {
    return this.#blocked
  }

  /** Rejects where the connection has ended. */
  async channel(): Promise<AmqpChannel> {
    const channel = new AmqpChannel(await Promise.race([this.#model.createConfirmChannel(), this.#rejectsAtEnd()]))
    this.#channels.add(channel)
    void channel.closed.then(() => this.#channels.delete(channel))
    if (this.#ended) channel.end('The connection has ended.')
    return channel
  }

  /** Whether there is such a queue. Rejects where the connection has ended. */
  async hasQueue(name: string): Promise<boolean> {
    return (await this.readersOf(name)) !== undefined
  }

  /** How many read a queue, or wait to; undefined where there is none, or the broker won't tell. Rejects where the connection has ended. */
  async readersOf(name: string): Promise<number | undefined> {
    const channel = await this.#model.createChannel()
    const gone = new Promise<undefined>((resolve) => channel.once('error', () => resolve(undefined)))
    const looked = channel.checkQueue(name).then(
      ({ consumerCount }) => consumerCount,
      () => gone,
    )
    const found = await Promise.race([looked, this.#rejectsAtEnd()])
    if (found !== undefined) await withinPatience(channel.close(), this.#end.promise)
    return found
  }

  /** Messages that lie in a queue and are not held by anybody. Rejects where the connection has ended. */
  async lying(queue: string): Promise<number> {
    const channel = await Promise.race([this.#model.createChannel(), this.#rejectsAtEnd()])
    const refused = new Promise<never>((_, reject) => channel.once('error', (error) => reject(new BrokerError('nothing', textOf(error)))))
    const { messageCount } = await Promise.race([channel.checkQueue(queue), refused, this.#rejectsAtEnd()])
    await withinPatience(channel.close(), this.#end.promise)
    return messageCount
  }

  /** Takes a name for itself as long as it lives; rejects where another connection has it. */
  async claim(name: string): Promise<void> {
    const channel = await this.channel()
    const claimed = channel.queue(name, { exclusive: true, durable: false }).then(() => true)
    if (!(await claimed.catch(() => false))) throw new BrokerError(this.#ended ? 'away' : 'held', await channel.closed)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) await withinPatience(this.#model.close(), this.#end.promise)
    this.#finish('It was closed.')
  }

  async #rejectsAtEnd(): Promise<never> {
    throw new BrokerError('away', await this.#end.promise)
  }

  #finish(why: string): void {
    if (this.#ended) return
    this.#ended = true
    for (const channel of [...this.#channels]) channel.end(why)
    this.#end.resolve(why)
  }
}

/** An address with the heartbeat in it, where it names none. */
export const withHeartbeat = (url: string): string => {
  const whole = new URL(url)
  if (!whole.searchParams.has('heartbeat')) whole.searchParams.set('heartbeat', String(HEARTBEAT))
  return whole.href
}

/** As whom somebody comes with this address. */
export const userOf = ({ url }: BrokerAddress): string => decodeURIComponent(new URL(url).username)
