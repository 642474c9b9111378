import type * as E from 'fp-ts/lib/Either.js'
import { CHUNK_MAX, type Hash } from '../domain/content.ts'
import type { PackEntry, PackEvent, RetentionEvent } from '../domain/events.ts'
import { EVENT_VERSION, readVersioned, unknownEvent, type EventError } from './event-error.ts'
import type { EncodedEvent } from './folder-event-codec.ts'
import type { Json } from './json.ts'
import { within, type Fields, type Place, type Reader } from './reader.ts'

/** An event of the stream of packs. */
export type PacksEvent = PackEvent | RetentionEvent

/** Its entries are triples, since there are many. */
export const encodePackEvent = ({ type, pack, entries }: PackEvent): EncodedEvent => ({
  type,
  data: JSON.stringify({ v: EVENT_VERSION, pack, entries: entries.map((entry) => [entry.hash, entry.offset, entry.size]) }),
})

export const encodeRetentionEvent = ({ type, ...fields }: RetentionEvent): EncodedEvent => ({
  type,
  data: JSON.stringify({ v: EVENT_VERSION, ...fields }),
})

const TEXT = 10_000
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

const readRetention = (reader: Reader, fields: Fields) => ({
  run: fields.string('run', TEXT),
  pack: fields.raw('pack') === null ? null : fields.string('pack', TEXT),
  chunks: fields.list('chunks', MAX_ENTRIES, (json, at) => reader.hash(json, at)),
})

export const decodePacksEvent = ({ type, data }: EncodedEvent): E.Either<EventError, PacksEvent> => {
  switch (type) {
    case 'PackStored':
      return readVersioned(type, data, (reader, fields) => ({
        type,
        pack: fields.string('pack', TEXT),
        entries: fields.list('entries', MAX_ENTRIES, (json, at) => readPackEntry(reader, json, at)),
      }))
    case 'PackRetiring':
      return readVersioned(type, data, (reader, fields) => ({ type, ...readRetention(reader, fields) }))
    case 'PackRemoved':
      return readVersioned(type, data, (reader, fields) => ({
        type,
        ...readRetention(reader, fields),
        bytes: fields.integer('bytes', 0, Number.MAX_SAFE_INTEGER),
      }))
    default:
      return unknownEvent(type, 0)
  }
}
