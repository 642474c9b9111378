import { either as E } from 'fp-ts'
import type { BlobStore } from '../../blobstore/port.ts'
import type { Hash } from '../../domain/content.ts'
import type { EventLog, LogPosition, RecordedEvent } from '../../eventlog/port.ts'
import { decodeManifest } from '../../protocol/manifest.ts'
import { createDecoder } from '../decoder.ts'
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
    const chunks = E.isRight(bytes) ? decodeManifest(bytes.right) : bytes
    return E.isRight(chunks) ? chunks.right : undefined
  }

export const readerSource = (reader: SyncReader, blobs: Pick<BlobStore, 'get'>): FollowSource => ({
  decoder: createDecoder(),
  page: async (after, max) => E.right(reader.readAllSync(orderOf(after), max)),
  manifest: manifestFrom(blobs),
})

export const logSource = (log: Pick<EventLog, 'readAll'>, blobs: Pick<BlobStore, 'get'>): FollowSource => ({
  decoder: createDecoder(),
  page: (after, max) => log.readAll(after, max)(),
  manifest: manifestFrom(blobs),
})
