import { createHash } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import type { JsonObject, Json } from '../../protocol/json.ts'
import { parseObject } from '../session/framing.ts'
import type { Lying } from './amqp.ts'
import { PYSYNC, REQUESTS, shardOf } from './names.ts'
import { CONTENT_TYPE, frameIn } from './wire.ts'

/** A message that nobody answered, and what is known of it. */
export interface DeadLetter {
  /** Made of what it holds: the same at every look. */
  readonly id: string
  /** When it was set aside, by the broker's or a gateway's clock; '' where nobody wrote it down. */
  readonly time: string
  readonly reason: string
  /** Where it came from. */
  readonly queue: string
  /** Whom the broker knew as its sender; '': nobody. */
  readonly sender: string
  readonly replyTo: string
  readonly contentType: string
  readonly bytes: number
  /** What it asks for, as far as it can be read. */
  readonly action: string
  /** Its head, without passwords; undefined where it cannot be read. */
  readonly message: JsonObject | undefined
}

/** Where a letter goes when it is sent again. */
export interface Route {
  readonly exchange: string
  readonly key: string
}

/**
 * Requests that prove by themselves who made them, by a signature or a password: so they may be sent again by somebody else. All others are
 * believed for the connection that they came by, which is gone.
 */
export const PROVES_ITSELF: ReadonlySet<unknown> = new Set(['Changes', 'RegisterUser', 'RegisterAgent'])

type Headers = Readonly<Record<string, unknown>>

/** `gateways`: their own user, by which their letters are known from the broker's. */
export const readLetter = ({ content, properties }: Lying, gateways: string): DeadLetter => {
  const headers: Headers = properties.headers ?? {}
  const death = latestDeath(headers)
  const byGateway = properties.userId === gateways
  const reason = death === undefined ? textOf(headers['x-reason']) : wordsOf(textOf(death['reason']))
  const message = messageIn(content, textOf(properties.contentType))
  const letter = {
    time: death === undefined ? textOf(headers['x-time']) : timeOf(death['time']),
    reason: reason === '' ? 'nobody wrote down why' : reason,
    queue: textOf(death === undefined ? headers['x-queue'] : death['queue']),
    // Whoever sends a message can write headers of these names; only a gateway's are believed.
    sender: byGateway ? textOf(headers['x-user']) : textOf(properties.userId),
    replyTo: byGateway && death === undefined ? textOf(headers['x-reply-to']) : textOf(properties.replyTo),
    contentType: textOf(properties.contentType),
    bytes: content.length,
    action: textOf(message?.['Action']),
  }
  return { id: idOf({ ...letter, correlationId: textOf(properties.correlationId) }, content), ...letter, message }
}

/** A left says why it is not sent again. `shards`: how many request queues there are. */
export const routeOf = ({ message, contentType, queue }: DeadLetter, shards: number): E.Either<string, Route> => {
  if (message === undefined) return E.left('it cannot be read, or is a piece of a content that another message announced')
  if (queue === PYSYNC) return E.right({ exchange: PYSYNC, key: '' })
  if (contentType !== CONTENT_TYPE) return E.left('it is not of the form that its queue is for')
  const { Action: action, Folder: folder } = message
  if (!PROVES_ITSELF.has(action))
    return E.left(`${textOf(action)} is believed for the connection that it came by: its device asks again by itself`)
  return E.right({ exchange: REQUESTS, key: String(shardOf(textOf(folder), shards)) })
}

const messageIn = (content: Buffer, contentType: string): JsonObject | undefined => {
  if (contentType !== CONTENT_TYPE) {
    const object = parseObject(content)
    return E.isRight(object) ? withoutPasswords(object.right) : undefined
  }
  const frame = frameIn(content)
  return E.isRight(frame) ? withoutPasswords(frame.right.head) : undefined
}

const withoutPasswords = (object: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, name === 'Password' ? '(not shown)' : inside(value)]))

const inside = (value: Json): Json => {
  if (typeof value !== 'object' || value === null) return value
  // Array.isArray does not narrow a readonly array.
  return Array.isArray(value) ? (value as readonly Json[]).map(inside) : withoutPasswords(value as JsonObject)
}

/** The broker's own note on the last queue that threw it out. */
const latestDeath = (headers: Headers): Headers | undefined => {
  const deaths = headers['x-death']
  const latest: unknown = Array.isArray(deaths) ? deaths[0] : undefined
  return typeof latest === 'object' && latest !== null ? { ...latest } : undefined
}

const WORDS: Readonly<Record<string, string>> = {
  delivery_limit: 'it was delivered again and again, and no gateway could answer it',
  rejected: 'a gateway gave it back',
  maxlen: 'its queue was full',
  expired: 'it waited for too long',
}

const wordsOf = (reason: string): string => WORDS[reason] ?? `the broker set it aside (${reason})`

/** AMQP's timestamps are seconds, and come wrapped. */
const timeOf = (value: unknown): string => {
  const seconds = typeof value === 'object' && value !== null && 'value' in value ? value.value : undefined
  return typeof seconds === 'number' ? new Date(seconds * 1000).toISOString() : ''
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const ID_DIGITS = 12

const idOf = (fields: Readonly<Record<string, unknown>>, content: Buffer): string =>
  createHash('sha256').update(JSON.stringify(fields)).update(content).digest('hex').slice(0, ID_DIGITS)
