import type { either as E } from 'fp-ts'
import { CHUNK_MAX, type Hash } from '../domain/content.ts'
import type { AccountEvent, AgentEvent, PackEntry, PackEvent } from '../domain/events.ts'
import { EVENT_VERSION, readVersioned, unknownEvent, type EventError } from './event-error.ts'
import type { EncodedEvent } from './folder-event-codec.ts'
import type { Json } from './json.ts'
import { within, type Fields, type Reader, type Place } from './reader.ts'

export { decodeFolderEvent, encodeFileEvent, encodeFolderEvent, type EncodedEvent } from './folder-event-codec.ts'
export { decodeMetadata, encodeMetadata, type EventMetadata, type MessageRecord } from './event-metadata.ts'
export type { EventError } from './event-error.ts'

const encode = ({ type, ...fields }: { readonly type: string }): EncodedEvent => ({
  type,
  data: JSON.stringify({ v: EVENT_VERSION, ...fields }),
})

/** An event of an account's stream. */
export const encodeAccountEvent = (event: AccountEvent): EncodedEvent => encode(event)

/** An event of an agent's own stream. */
export const encodeAgentEvent = (event: AgentEvent): EncodedEvent => encode(event)

/** An event of the stream of packs; its entries are triples, since there are many. */
export const encodePackEvent = ({ type, pack, entries }: PackEvent): EncodedEvent => ({
  type,
  data: JSON.stringify({ v: EVENT_VERSION, pack, entries: entries.map((entry) => [entry.hash, entry.offset, entry.size]) }),
})

const ACCOUNT_TYPES: Readonly<Record<AccountEvent['type'], true>> = {
  AccountRegistered: true,
  AgentRegistered: true,
  AgentRenamed: true,
  AgentRevoked: true,
}
const isAccountEvent = (type: string): type is AccountEvent['type'] => Object.hasOwn(ACCOUNT_TYPES, type)

const TEXT = 10_000

const stringOrNull = (fields: Fields, field: string): string | null => (fields.raw(field) === null ? null : fields.string(field, TEXT))

const readAccountEvent = (fields: Fields, type: AccountEvent['type']): AccountEvent => {
  switch (type) {
    case 'AccountRegistered':
      return { type, account: fields.account('account'), email: fields.string('email', TEXT), verifier: fields.string('verifier', TEXT) }
    case 'AgentRegistered':
      return {
        type,
        account: fields.account('account'),
        agent: fields.agentKey('agent'),
        name: fields.string('name', TEXT),
        publicKey: stringOrNull(fields, 'publicKey'),
        vouchedBy: fields.raw('vouchedBy') === 'operator' ? 'operator' : fields.agentKey('vouchedBy'),
        countersignature: stringOrNull(fields, 'countersignature'),
      }
    case 'AgentRenamed':
      return { type, agent: fields.agentKey('agent'), name: fields.string('name', TEXT) }
    case 'AgentRevoked':
      return { type, agent: fields.agentKey('agent'), reason: fields.string('reason', TEXT) }
  }
}

export const decodeAccountEvent = ({ type, data }: EncodedEvent): E.Either<EventError, AccountEvent> =>
  isAccountEvent(type) ? readVersioned(type, data, (_, fields) => readAccountEvent(fields, type)) : unknownEvent(type, 0)

export const decodeAgentEvent = ({ type, data }: EncodedEvent): E.Either<EventError, AgentEvent> =>
  type !== 'AgentSynced'
    ? unknownEvent(type, 0)
    : readVersioned(type, data, (_, fields) => ({
        type,
        agent: fields.agentKey('agent'),
        folder: fields.folder('folder'),
        position: fields.integer('position', -1),
        chain: fields.string('chain', 64),
        signature: fields.string('signature', 88),
      }))

const MAX_ENTRIES = 1_000_000

const readPackEntry = (reader: Reader, json: Json, at: Place): PackEntry => {
  const triple: readonly Json[] = Array.isArray(json) ? json : []
  const hash: Hash = reader.hash(triple[0], within(at, 0))
  return {
    hash,
    offset: reader.integer(triple[1], within(at, 1), 0, Number.MAX_SAFE_INTEGER),
    size: reader.integer(triple[2], within(at, 2), 0, CHUNK_MAX),
  }
}

export const decodePackEvent = ({ type, data }: EncodedEvent): E.Either<EventError, PackEvent> =>
  type !== 'PackStored'
    ? unknownEvent(type, 0)
    : readVersioned(type, data, (reader, fields) => ({
        type,
        pack: fields.string('pack', TEXT),
        entries: fields.list('entries', MAX_ENTRIES, (json, at) => readPackEntry(reader, json, at)),
      }))
