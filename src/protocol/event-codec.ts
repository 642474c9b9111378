import type * as E from 'fp-ts/lib/Either.js'
import type { AccountEvent, AgentEvent } from '../domain/events.ts'
import { EVENT_VERSION, readVersioned, unknownEvent, type EventError } from './event-error.ts'
import type { EncodedEvent } from './folder-event-codec.ts'
import type { Fields, Reader } from './reader.ts'
import { readSignInsRefused } from './sign-ins-refused-codec.ts'

export { decodeFolderEvent, encodeFileEvent, encodeFolderEvent, type EncodedEvent } from './folder-event-codec.ts'
export { decodeMetadata, encodeMetadata, type EventMetadata, type MessageRecord } from './event-metadata.ts'
export { decodePacksEvent, encodePackEvent, encodeRetentionEvent, type PacksEvent } from './packs-event-codec.ts'
export type { EventError } from './event-error.ts'

const encode = ({ type, ...fields }: { readonly type: string }): EncodedEvent => ({
  type,
  data: JSON.stringify({ v: EVENT_VERSION, ...fields }),
})

/** An event of an account's stream. */
export const encodeAccountEvent = (event: AccountEvent): EncodedEvent => encode(event)

/** An event of an agent's own stream. */
export const encodeAgentEvent = (event: AgentEvent): EncodedEvent => encode(event)

const ACCOUNT_TYPES: Readonly<Record<AccountEvent['type'], true>> = {
  AccountRegistered: true,
  AgentRegistered: true,
  AgentRenamed: true,
  AgentRevoked: true,
  SignInsRefused: true,
}
const isAccountEvent = (type: string): type is AccountEvent['type'] => Object.hasOwn(ACCOUNT_TYPES, type)

const TEXT = 10_000

const stringOrNull = (fields: Fields, field: string): string | null => (fields.raw(field) === null ? null : fields.string(field, TEXT))

const readAccountEvent = (reader: Reader, fields: Fields, type: AccountEvent['type']): AccountEvent => {
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
    case 'SignInsRefused':
      return { type, account: fields.account('account'), ...readSignInsRefused(reader, fields) }
  }
}

export const decodeAccountEvent = ({ type, data }: EncodedEvent): E.Either<EventError, AccountEvent> =>
  isAccountEvent(type) ? readVersioned(type, data, (reader, fields) => readAccountEvent(reader, fields, type)) : unknownEvent(type, 0)

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
