import * as E from 'fp-ts/lib/Either.js'
import type { AgentKey } from '../../domain/events.ts'
import type { ClientTransport } from '../port.ts'
import { SessionClient, type Connect, type SessionClientOptions } from '../session/client.ts'
import type { Link } from '../session/link.ts'
import { AmqpConnection, BrokerError, type BrokerAddress } from './amqp.ts'
import { RabbitLink, type Wires } from './link.ts'
import { agentQueue, ENROL, NOTIFICATIONS, REPLY_TO } from './names.ts'

export interface RabbitClientOptions extends SessionClientOptions {
  /** Without credentials: they are made here. */
  readonly broker: BrokerAddress
  /** As whom it comes, and its password for the broker; undefined: a device that only registers. */
  readonly credentials?: { readonly agent: AgentKey; readonly password: string }
}

/** Answers that may lie here before they are looked at; notifications come one by one. */
const NOTIFICATION_WINDOW = 64

/** An agent's connection to the gateways behind a RabbitMQ. */
export const createRabbitClient = (options: RabbitClientOptions): ClientTransport =>
  new SessionClient((signal) => connectOnce(options, signal), options)

const addressAs = ({ url, ...broker }: BrokerAddress, user: string, password: string): BrokerAddress => {
  const whole = new URL(url)
  whole.username = encodeURIComponent(user)
  whole.password = encodeURIComponent(password)
  return { ...broker, url: whole.href }
}

/**
 * A broker refuses an agent that the gateway refuses, and everybody while no gateway answers its questions. So a refused agent comes as one that is
 * not enrolled, and asks the gateway itself: only its own answer means "refused".
 */
const connectOnce = async (options: RabbitClientOptions, signal: AbortSignal): ReturnType<Connect> => {
  const made = await connectAs(options, options.credentials, signal)
  if (E.isRight(made)) return made
  const reason = made.left instanceof Error ? made.left.message : String(made.left)
  if (options.credentials === undefined || !(made.left instanceof BrokerError) || made.left.tag !== 'refused') return E.left(reason)
  const asking = await connectAs(options, undefined, signal)
  return E.mapLeft(() => reason)(asking)
}

/** A left is what was thrown. */
const connectAs = async (
  { broker, random, clock, credentials: own }: RabbitClientOptions,
  credentials: RabbitClientOptions['credentials'],
  signal: AbortSignal,
): Promise<E.Either<unknown, Link>> => {
  const user = credentials?.agent ?? ENROL
  const address = addressAs(broker, user, credentials?.password ?? ENROL)
  await using parts = new AsyncDisposableStack()
  try {
    const connections: AmqpConnection[] = []
    for (const purpose of ['requests', 'chunks'])
      connections.push(parts.use(await AmqpConnection.open(address, `eventsync ${user} ${purpose}`, signal)))
    const nonce = Buffer.from(random(16)).toString('hex')
    const link = await linkOver({ connections, agent: credentials?.agent, user, nonce, clock, asksOnly: own !== credentials })
    // From here on the link owns the connections.
    parts.move()
    return E.right(link)
  } catch (error) {
    return E.left(error)
  }
}

const linkOver = async (over: Omit<Wires, 'requests' | 'chunks'>): Promise<Link> => {
  const { connections, agent, nonce } = over
  const [main, bulk = main] = connections
  if (main === undefined || bulk === undefined) throw new Error('a link needs a connection')
  const [requests, chunks] = [await main.channel(), await bulk.channel()]
  const link = new RabbitLink({ ...over, requests, chunks })
  for (const channel of [requests, chunks]) await channel.consume(REPLY_TO, 0, (delivery) => link.take(delivery), true)
  if (agent !== undefined) {
    const own = await main.channel()
    void own.closed.then(() => link.terminate())
    const queue = agentQueue(agent, nonce)
    await own.queue(queue, { exclusive: true, autoDelete: true, durable: false, arguments: { 'x-max-length': NOTIFICATION_WINDOW } })
    await own.bind(queue, NOTIFICATIONS, agent)
    await own.consume(queue, 0, (delivery) => link.take(delivery), true)
  }
  return link
}
