import type * as E from 'fp-ts/lib/Either.js'
import type { Hash } from '../domain/content.ts'
import type { AccountId, AgentKey } from '../domain/events.ts'
import type { Proof } from '../domain/history.ts'
import { readEventJson, type EventError } from './event-error.ts'
import { encodeHead, readHead } from './head.ts'
import type { JsonObject } from './json.ts'
import { MAX_CHANGES, type Head, type Outcome } from './messages.ts'
import { encodeOutcome, readOutcome } from './outcome.ts'
import { within, type Fields, type Reader, type Place } from './reader.ts'

export type { Proof }

/** What the first event of a message's append keeps of the message: its evidence, and its answer, which may be asked for again. */
export interface MessageRecord {
  readonly head: Head
  readonly signature: string
  readonly outcomes: readonly Outcome[]
  /** Leaf hashes, by their index, of the changes that no event embeds (refused, or so already): with them every inclusion path under the head's root can be made. */
  readonly refusedLeaves: readonly (readonly [number, Hash])[]
}

/** Who made an event, by what message, when. What does not apply (no message: the gateway's own events, PySync's clients) is left out. */
export interface EventMetadata {
  readonly account?: AccountId
  readonly agent?: AgentKey
  readonly epoch?: string
  readonly number?: number
  /** The change's place in its message. */
  readonly index?: number
  /** The gateway's clock, in milliseconds. */
  readonly time: number
  /** The client's clock in seconds, as it said: recorded, never trusted. */
  readonly clientTime?: number
  readonly proof: Proof
  readonly message?: MessageRecord
}

export const encodeMetadata = (metadata: EventMetadata): string => {
  const { message, ...rest } = metadata
  return JSON.stringify(message === undefined ? rest : { ...rest, message: encodeMessage(message) })
}

const encodeMessage = ({ head, signature, outcomes, refusedLeaves }: MessageRecord): JsonObject => ({
  head: encodeHead(head),
  signature,
  outcomes: outcomes.map(encodeOutcome),
  ...(refusedLeaves.length === 0 ? {} : { refusedLeaves }),
})

type Mutable<A> = { -readonly [K in keyof A]: A[K] }

/** What is absent from the JSON is no property of what is read. */
export const decodeMetadata = (text: string): E.Either<EventError, EventMetadata> =>
  readEventJson('metadata', text, (reader, fields) => {
    const read: Mutable<EventMetadata> = { time: fields.number('time'), proof: readProof(fields) }
    if (fields.has('account')) read.account = fields.account('account')
    if (fields.has('agent')) read.agent = fields.agentKey('agent')
    if (fields.has('epoch')) read.epoch = fields.string('epoch', 16)
    if (fields.has('number')) read.number = fields.integer('number')
    if (fields.has('index')) read.index = fields.integer('index')
    if (fields.has('clientTime')) read.clientTime = fields.number('clientTime')
    if (fields.has('message')) read.message = readMessage(reader, fields.fields('message'))
    return read
  })

const readProof = (fields: Fields): Proof => {
  const proof = fields.raw('proof')
  if (proof === 'signed' || proof === 'password' || proof === 'gateway') return proof
  fields.fail('proof', 'must be "signed", "password" or "gateway"')
  return 'gateway'
}

const readMessage = (reader: Reader, fields: Fields): MessageRecord => {
  const head = fields.fields('head')
  return {
    head: readHead(head, head.agentKey('Agent')),
    signature: fields.string('signature', 88),
    outcomes: fields.list('outcomes', MAX_CHANGES, (json, at) => readOutcome(reader, json, at)),
    refusedLeaves: fields.has('refusedLeaves') ? fields.list('refusedLeaves', MAX_CHANGES, (json, at) => readLeaf(reader, json, at)) : [],
  }
}

const readLeaf = (reader: Reader, json: unknown, at: Place): readonly [number, Hash] => {
  const pair: readonly unknown[] = Array.isArray(json) ? json : []
  return [reader.integer(pair[0], within(at, 0), 0, MAX_CHANGES), reader.hash(pair[1], within(at, 1))]
}
