import type { either as E } from 'fp-ts'
import type { Hash } from '../domain/content.ts'
import type { AccountId, AgentKey } from '../domain/events.ts'
import { readEventJson, type EventError } from './event-error.ts'
import { encodeHead, readHead } from './head.ts'
import type { JsonObject } from './json.ts'
import { MAX_CHANGES, type Head, type Outcome } from './messages.ts'
import { encodeOutcome, readOutcome } from './outcome.ts'
import type { Fields, Reader } from './reader.ts'

/** How the sender of a change was known: by its signature, by a password alone, or the gateway acted by itself. */
export type Proof = 'signed' | 'password' | 'gateway'

/** What the first event of a message's append keeps of the message: its evidence, and its answer, which may be asked for again. */
export interface MessageRecord {
  readonly head: Head
  readonly signature: string
  readonly outcomes: readonly Outcome[]
  /** Leaf hashes of the refused changes by their index, so that every inclusion path under the head's root can be made. */
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

export const decodeMetadata = (text: string): E.Either<EventError, EventMetadata> =>
  readEventJson('metadata', text, (reader, fields) => ({
    ...optional(fields, 'account', () => fields.account('account')),
    ...optional(fields, 'agent', () => fields.agentKey('agent')),
    ...optional(fields, 'epoch', () => fields.string('epoch', 16)),
    ...optional(fields, 'number', () => fields.integer('number')),
    ...optional(fields, 'index', () => fields.integer('index')),
    time: fields.number('time'),
    ...optional(fields, 'clientTime', () => fields.number('clientTime')),
    proof: readProof(fields),
    ...optional(fields, 'message', () => readMessage(reader, fields.fields('message'))),
  }))

/** A property where the field is there, and none where it is not. */
const optional = <K extends string, A>(fields: Fields, key: K, read: () => A): { readonly [P in K]?: A } =>
  // One key, of type K.
  fields.has(key) ? ({ [key]: read() } as { [P in K]?: A }) : {}

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

const readLeaf = (reader: Reader, json: unknown, at: string): readonly [number, Hash] => {
  const pair: readonly unknown[] = Array.isArray(json) ? json : []
  return [reader.integer(pair[0], `${at}[0]`, 0, MAX_CHANGES), reader.hash(pair[1], `${at}[1]`)]
}
