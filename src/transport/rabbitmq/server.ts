import type { Chunk } from '../../domain/content.ts'
import type { AccountId, AgentKey } from '../../domain/events.ts'
import { CONTENT_TYPE } from './wire.ts'
import { notificationFrame } from '../notification.ts'
import type { Envelope, FolderAt, Handler, Peer, ServerTransport } from '../port.ts'
import { SERVER_LIMITS, type ServerLimits, type SessionServerOptions } from '../session/options.ts'
import { pauseAfter } from '../session/pause.ts'
import { refusal } from '../session/refusal.ts'
import { AmqpConnection, userOf, type AmqpChannel, type BrokerAddress } from './amqp.ts'
import type { Source } from './consumer.ts'
import { Members, type HearUploads } from './members.ts'
import { CHUNKS, NOTIFICATIONS, PYSYNC, requestQueue } from './names.ts'
import { PageBudget } from './page-budget.ts'
import { Reader } from './reader.ts'
import { allSenders, type AllSenders } from './senders.ts'
import type { ServerShared } from './shared.ts'
import { checkShards, declareTopology, OtherShards } from './topology.ts'
import { keepTurns, type Shares } from './turns.ts'
import { Unread } from './unread.ts'

export interface RabbitServerOptions extends SessionServerOptions {
  readonly broker: BrokerAddress
  /** How many request queues there are: fixed when the installation is made, the same for every gateway. */
  readonly shards: number
  /** Ends every connection of an agent; the broker's management does it. */
  readonly disconnect: (agent: AgentKey) => Promise<void>
  readonly state?: (state: BrokerState) => void
  /** Told each time that a gateway has come or gone. */
  readonly shares?: (shares: Shares) => void
  /** Told of what another gateway took in (`uploaded` of this one tells the others). */
  readonly uploads?: HearUploads
}

export type BrokerState =
  | { readonly tag: 'Serving' }
  | { readonly tag: 'Away'; readonly reason: string }
  /** What is there does not fit: it is of no use to try again. */
  | { readonly tag: 'Refused'; readonly reason: string }

export interface RabbitServerTransport extends ServerTransport {
  /** Tells the other gateways at this broker what an account uploaded; resolves when their queues have it, or won't. Never rejects. */
  uploaded(account: AccountId, chunks: readonly Chunk[]): Promise<void>
  /** Whether it takes requests now. */
  readonly serving: boolean
}

const CHUNK_WINDOW = 16
/** Pages are for changes that come one by one: a larger one, or one for more agents, costs the broker more than it spares. */
const LARGEST_PAGE = 64 * 1024
const MOST_PAGES = 32
/** Addressed by one message; with more the headers would not fit a frame. */
const MOST_ADDRESSED = 300
const MAX_PAUSE_MS = 5000
/** After a kill a broker can be half a minute late with one queue; asked again it is quicker. */
const SETUP_MS = 20_000

/** The gateway's side at a RabbitMQ: declares what it needs, reads the queues, and starts again whenever the broker or a channel ends. */
class RabbitServer implements RabbitServerTransport {
  readonly #options: RabbitServerOptions
  readonly #limits: ServerLimits
  readonly #stop = new AbortController()
  readonly #pages: PageBudget
  readonly #running: Promise<void>
  #handler: Handler | undefined
  #publishing: AmqpChannel | undefined
  #senders: AllSenders | undefined
  #members: Members | undefined

  constructor(options: RabbitServerOptions) {
    this.#options = options
    this.#limits = { ...SERVER_LIMITS, ...options.limits }
    this.#pages = new PageBudget(options.clock, options.random)
    this.#running = this.#run()
  }

  get serving(): boolean {
    return this.#publishing !== undefined
  }

  serve(handler: Handler): void {
    this.#handler = handler
  }

  notify(agents: readonly AgentKey[], { folder, position, page }: FolderAt): void {
    const unpaged = page === undefined ? agents : this.#sendPage(agents, { folder, position, page })
    const body = Buffer.concat(notificationFrame({ folder, position }))
    for (let from = 0; from < unpaged.length; from += MOST_ADDRESSED) {
      const [first = '', ...others] = unpaged.slice(from, from + MOST_ADDRESSED)
      void this.#publishing?.publish(NOTIFICATIONS, first, body, { contentType: CONTENT_TYPE, BCC: others })
    }
  }

  /** To each agent by itself, with a token of its own; returns those who are not to get it. */
  #sendPage(agents: readonly AgentKey[], told: FolderAt): readonly AgentKey[] {
    const body = Buffer.concat(notificationFrame(told))
    if (body.length > LARGEST_PAGE || agents.length > MOST_PAGES) return agents
    return agents.filter((agent) => {
      const token = this.#pages.take(agent, body.length)
      if (token !== undefined)
        void this.#publishing?.publish(NOTIFICATIONS, agent, body, { contentType: CONTENT_TYPE, headers: { 'x-answer': token } })
      return token === undefined
    })
  }

  async uploaded(account: AccountId, chunks: readonly Chunk[]): Promise<void> {
    await this.#members?.uploaded(account, chunks)
  }

  disconnect(agent: AgentKey): void {
    for (const senders of Object.values(this.#senders ?? {})) senders.cut(agent)
    this.#options.disconnect(agent).catch((error: unknown) => this.#fault(error))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { clock, random, state = () => undefined } = this.#options
    for (let failures = 0; !this.#stopping(); failures += 1) {
      const begun = clock.monotonic()
      const reason = await this.#once(() => {
        failures = 0
        state({ tag: 'Serving' })
      }).catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))))
      this.#publishing = undefined
      this.#members = undefined
      if (this.#stopping()) return
      if (reason instanceof OtherShards) return state({ tag: 'Refused', reason: reason.message })
      state({ tag: 'Away', reason: reason instanceof Error ? reason.message : reason })
      if (clock.monotonic() - begun > MAX_PAUSE_MS) failures = 0
      await clock.sleep(pauseAfter(failures, MAX_PAUSE_MS, random), this.#stop.signal)
    }
  }

  #stopping(): boolean {
    return this.#stop.signal.aborted
  }

  /** From connecting until something ends; the reason. */
  async #once(serving: () => void): Promise<string> {
    await using parts = new AsyncDisposableStack()
    const over = new AbortController()
    parts.defer(() => over.abort())
    const stopped = new Promise<string>((resolve) =>
      this.#stop.signal.addEventListener('abort', () => resolve('It stops.'), { once: true, signal: over.signal }),
    )
    const starting = this.#start(parts, over.signal)
    // Where it is given up, its connections end under it.
    starting.catch(() => undefined)
    const late = this.#options.clock.sleep(SETUP_MS, over.signal).then(() => 'The broker did not set up the queues in time.')
    const started = await Promise.race([starting, stopped, late])
    if (typeof started === 'string') return started
    const { readers, members, answers, ends } = started
    this.#publishing = answers
    this.#members = members
    serving()
    void keepTurns(this.#options.clock, members, readers, this.#options.shares ?? (() => undefined), over.signal)
    const reason = await Promise.race([stopped, ...ends])
    over.abort()
    members.leave()
    await Promise.all(readers.map((reader) => reader.stop()))
    return reason
  }

  /** Consuming and publishing are apart: an alarm stops only what publishes. */
  async #start(parts: AsyncDisposableStack, over: AbortSignal) {
    const { broker, shards, clock, random, uploads = () => undefined } = this.#options
    const open = async (purpose: string) => parts.use(await AmqpConnection.open(broker, `eventsync gateway ${purpose}`, this.#stop.signal))
    const [taking, publishing] = [await open('takes'), await open('answers')]
    const answers = await publishing.channel()
    await checkShards(publishing, shards)
    await declareTopology(answers, shards)
    const senders = allSenders(clock, this.#limits)
    const shared = this.#shared(senders)
    this.#senders = senders
    const readers = await Promise.all(this.#sources().map((source) => Reader.start(shared, source, taking, answers)))
    const hearing = await taking.channel()
    const id = Buffer.from(random(8)).toString('hex')
    const members = await Members.join(id, clock, { taking: hearing, publishing: answers }, uploads, over)
    const ends = [taking, publishing, answers, hearing, ...readers].map(({ closed }) => closed)
    return { readers, members, answers, ends }
  }

  #sources(): readonly Source[] {
    const requests = Array.from({ length: this.#options.shards }, (_, shard): Source => ({
      tag: 'requests',
      queue: requestQueue(shard),
      shard,
    }))
    return [...requests, { tag: 'chunks', queue: CHUNKS }, { tag: 'plain', queue: PYSYNC }]
  }

  #shared(senders: AllSenders): ServerShared {
    const { broker, clock, random, shards, log = () => undefined } = this.#options
    return {
      unread: new Unread(clock, random),
      pages: this.#pages,
      clock,
      shards,
      user: userOf(broker),
      senders,
      chunkWindow: CHUNK_WINDOW,
      drainMs: this.#limits.drainMs,
      answer: (envelope, peer) => this.#answer(envelope, peer),
      fault: (error) => this.#fault(error),
      refused: ({ properties }, why) =>
        log({
          tag: 'Rejected',
          address: `amqp/${String(properties.userId ?? '')}`,
          reason: why.tag === 'wrong' ? why.error.reason : why.reason,
        }),
    }
  }

  async #answer(envelope: Envelope, peer: Peer): Promise<Envelope> {
    if (this.#handler === undefined) return refusal(this.#options.clock, 503, 'busy', 'The gateway is starting.')
    try {
      return await this.#handler(envelope, peer, this.#stop.signal)
    } catch (error) {
      return this.#fault(error)
    }
  }

  #fault(error: unknown): Envelope {
    const peer = { id: 'rabbitmq', address: 'amqp', nonce: '', agent: undefined, plain: false }
    this.#options.log?.({ tag: 'Fault', peer, error })
    return refusal(this.#options.clock, 500, 'fault', 'The gateway failed: the fault is its own.')
  }
}

export const createRabbitServer = (options: RabbitServerOptions): RabbitServerTransport => new RabbitServer(options)
