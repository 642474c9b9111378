import type * as E from 'fp-ts/lib/Either.js'
import type { GatewayEvent, HeadOfStream } from '../domain/events.ts'
import { canonical } from './canonical.ts'
import { EVENT_VERSION, readVersioned, unknownEvent, type EventError } from './event-error.ts'
import type { EncodedEvent } from './folder-event-codec.ts'
import type { Json } from './json.ts'
import { within, type Fields, type Place, type Reader } from './reader.ts'
import { readSignInsRefused } from './sign-ins-refused-codec.ts'

const MAX_HEADS = 100_000
const MAX_STREAM = 1000

const encodeHeads = (heads: readonly HeadOfStream[]): Json => heads.map(({ stream, revision, chain }) => [stream, revision, chain])

/** What the gateway signs of a Checkpoint. */
export const checkpointText = (heads: readonly HeadOfStream[]): string => `eventsync-checkpoint\0${canonical(encodeHeads(heads))}`

/** An event of the gateways' own stream; the heads of a Checkpoint are triples. */
export const encodeGatewayEvent = (event: GatewayEvent): EncodedEvent => {
  const { type, ...fields } = event
  const plain = event.type === 'Checkpoint' ? { ...fields, heads: encodeHeads(event.heads) } : fields
  return { type, data: JSON.stringify({ v: EVENT_VERSION, ...plain }) }
}

const readHead = (reader: Reader, json: Json, at: Place): HeadOfStream => {
  const triple: readonly Json[] = Array.isArray(json) ? json : []
  const [stream, revision, chain] = triple
  if (typeof stream !== 'string' || stream.length > MAX_STREAM) reader.fail(within(at, 0), 'must be the name of a stream')
  return {
    stream: typeof stream === 'string' ? stream : '',
    revision: reader.integer(revision, within(at, 1), 0, Number.MAX_SAFE_INTEGER),
    chain: reader.hash(chain, within(at, 2)),
  }
}

const MAX_SECONDS = 1_000_000_000_000
const boot = (fields: Fields) => ({ gateway: fields.string('gateway', MAX_STREAM), boot: fields.string('boot', MAX_STREAM) })
const run = (fields: Fields) => ({ run: fields.string('run', MAX_STREAM) })
const count = (fields: Fields, field: string): number => fields.integer(field, 0, Number.MAX_SAFE_INTEGER)

const READERS: {
  readonly [T in GatewayEvent['type']]: (fields: Fields, reader: Reader) => Omit<Extract<GatewayEvent, { type: T }>, 'type'>
} = {
  Checkpoint: (fields, reader) => ({
    heads: fields.list('heads', MAX_HEADS, (json, at) => readHead(reader, json, at)),
    gatewayKey: fields.string('gatewayKey', 44),
    signature: fields.string('signature', 88),
  }),
  RetentionStarted: (fields) => ({
    ...run(fields),
    keepSeconds: fields.integer('keepSeconds', 0, MAX_SECONDS),
    keepVersions: count(fields, 'keepVersions'),
    folder: fields.raw('folder') === null ? null : fields.folder('folder'),
  }),
  RetentionEnded: (fields) => ({ ...run(fields), objects: count(fields, 'objects'), bytes: count(fields, 'bytes') }),
  GatewayStarted: boot,
  GatewayPassed: (fields) => ({ ...boot(fields), packs: fields.integer('packs', -1, Number.MAX_SAFE_INTEGER) }),
  GatewayStopped: boot,
  SignInsRefused: (fields, reader) => {
    if (fields.raw('account') !== null) fields.fail('account', 'must be null')
    return { account: null, ...readSignInsRefused(reader, fields) }
  },
}

const isGatewayEvent = (type: string): type is GatewayEvent['type'] => Object.hasOwn(READERS, type)

export const decodeGatewayEvent = ({ type, data }: EncodedEvent): E.Either<EventError, GatewayEvent> =>
  isGatewayEvent(type)
    ? // Each reader gives the fields of its own type.
      readVersioned(type, data, (reader, fields) => ({ type, ...READERS[type](fields, reader) }) as GatewayEvent)
    : unknownEvent(type, 0)
