import * as E from 'fp-ts/lib/Either.js'
import type { BlobStore } from '../../blobstore/port.ts'
import type { Chunk, Hash } from '../../domain/content.ts'
import type { EventReader, LogPosition, RecordedEvent } from '../../eventlog/port.ts'
import { decodeManifest } from '../../protocol/manifest.ts'
import { readOnceDecoder } from '../decoder.ts'
import type { FollowSource } from './runner.ts'

/** A log that is read on a connection of this thread's own. */
export interface SyncReader {
  readAllSync(afterOrder: bigint, max: number): readonly RecordedEvent[]
}

const orderOf = (after: LogPosition | 'start'): bigint => (after === 'start' ? 0n : after.order)

const manifestFrom =
  (blobs: Pick<BlobStore, 'get'>): FollowSource['manifest'] =>
  async (hash: Hash) => {
    const bytes = await blobs.get(hash)()
    if (E.isRight(bytes)) return E.right(E.getOrElse((): readonly Chunk[] | undefined => undefined)(decodeManifest(bytes.right)))
    return bytes.left.tag === 'Unavailable' ? E.left({ tag: 'Unavailable', reason: bytes.left.reason }) : E.right(undefined)
  }

const chainOfFirst = (order: bigint, events: readonly RecordedEvent[]): string | undefined => {
  const [event] = events
  return event?.position.order === order ? event.chain : undefined
}

export const readerSource = (reader: SyncReader, blobs: Pick<BlobStore, 'get'>): FollowSource => ({
  decoder: readOnceDecoder,
  page: async (after, max) => E.right(reader.readAllSync(orderOf(after), max)),
  chainAt: async (position) => E.right(chainOfFirst(position.order, reader.readAllSync(position.order - 1n, 1))),
  manifest: manifestFrom(blobs),
})

export const logSource = (log: Pick<EventReader, 'readAll' | 'at'>, blobs: Pick<BlobStore, 'get'>): FollowSource => ({
  decoder: readOnceDecoder,
  page: (after, max) => log.readAll(after, max)(),
  chainAt: async (position) => E.map((event: RecordedEvent | undefined) => event?.chain)(await log.at(position)()),
  manifest: manifestFrom(blobs),
})
