import type * as E from 'fp-ts/lib/Either.js'
import type { Chunk } from '../domain/content.ts'
import { readEntries } from './answer.ts'
import { encodeEntries } from './answer-writer.ts'
import { encodeChunks, readChunk } from './content-codec.ts'
import type { ProtocolError } from './error.ts'
import { readHashOrNothing } from './head.ts'
import type { Json, JsonObject } from './json.ts'
import type { RemoteEntry } from './messages.ts'
import { Reader } from './reader.ts'

/** Most entries of a page that comes with a notification: those of one message of moves. */
export const MAX_PAGE_ENTRIES = 512
/** Most bytes of a content that comes along, and of all of them. */
export const MAX_PAGE_CONTENT = 16 * 1024
export const MAX_PAGE_CONTENTS = 64 * 1024

/** What a notification may bring along: what a Sync from `from` would answer, up to the position that it tells of, and some new contents (the payload). */
export interface Page {
  readonly from: number
  /** The log's chain at `from`, and at the position that is told. */
  readonly since: string
  readonly chain: string
  readonly entries: readonly RemoteEntry[]
  readonly contents: readonly Chunk[]
}

export const encodePage = ({ from, since, chain, entries, contents }: Page): JsonObject => ({
  From: from,
  Since: since,
  Chain: chain,
  Changes: encodeEntries(entries),
  Contents: encodeChunks(contents),
})

export const decodePage = (json: Json): E.Either<ProtocolError, Page> => {
  const reader = new Reader()
  const fields = reader.fields(json, 'Page')
  return reader.finish({
    from: fields.integer('From', -1),
    since: readHashOrNothing(fields, 'Since'),
    chain: readHashOrNothing(fields, 'Chain'),
    entries: readEntries(reader, fields.fields('Changes'), MAX_PAGE_ENTRIES),
    contents: fields.list('Contents', MAX_PAGE_ENTRIES, (each, at) => readChunk(reader, each, at)),
  })
}
