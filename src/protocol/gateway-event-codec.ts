import type { either as E } from 'fp-ts'
import type { GatewayEvent, HeadOfStream } from '../domain/events.ts'
import { canonical } from './canonical.ts'
import { EVENT_VERSION, readVersioned, unknownEvent, type EventError } from './event-error.ts'
import type { EncodedEvent } from './folder-event-codec.ts'
import type { Json } from './json.ts'
import { within, type Reader, type Place } from './reader.ts'

const MAX_HEADS = 100_000
const MAX_STREAM = 1000

const encodeHeads = (heads: readonly HeadOfStream[]): Json => heads.map(({ stream, revision, chain }) => [stream, revision, chain])

/** What the gateway signs of a Checkpoint. */
export const checkpointText = (heads: readonly HeadOfStream[]): string => `eventsync-checkpoint\0${canonical(encodeHeads(heads))}`

/** An event of the gateway's own stream; its heads are triples. */
export const encodeGatewayEvent = ({ type, heads, gatewayKey, signature }: GatewayEvent): EncodedEvent => ({
  type,
  data: JSON.stringify({ v: EVENT_VERSION, heads: encodeHeads(heads), gatewayKey, signature }),
})

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

export const decodeGatewayEvent = ({ type, data }: EncodedEvent): E.Either<EventError, GatewayEvent> =>
  type !== 'Checkpoint'
    ? unknownEvent(type, 0)
    : readVersioned(type, data, (reader, fields) => ({
        type,
        heads: fields.list('heads', MAX_HEADS, (json, at) => readHead(reader, json, at)),
        gatewayKey: fields.string('gatewayKey', 44),
        signature: fields.string('signature', 88),
      }))
