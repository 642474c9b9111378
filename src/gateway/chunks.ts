import * as E from 'fp-ts/lib/Either.js'
import type { BlobStore, NewChunk, StoreError } from '../blobstore/port.ts'
import type { Hash } from '../domain/content.ts'
import { createLru } from '../lib/lru.ts'
import { createGatherer } from '../lib/gather.ts'
import { PACKS } from '../protocol/streams.ts'
import { encodeMetadata, encodePackEvent } from '../protocol/event-codec.ts'
import { uuidV5 } from '../protocol/event-ids.ts'
import type { PackEvent } from '../domain/events.ts'
import type { AppendFailure, Appender, Draft } from './append.ts'
import type { Clock } from '../lib/clock.ts'
import type { GatewayMetrics } from './deps.ts'

/** Stores chunks so that an event may name them (I6), and reads them. */
export interface Chunks {
  /** Stores them once; a right when all are durable and the log says where they lie. Damaged: bytes of another hash. */
  store(chunks: readonly NewChunk[]): Promise<E.Either<StoreError | AppendFailure, void>>
  /** One that can't be read whole counts as missing from then on, until it is stored again. `unchecked`: its hash is checked by who asked for it. */
  read(hash: Hash, unchecked?: boolean): Promise<E.Either<StoreError, Buffer>>
  /** Whether reading it has failed. */
  isDamaged(hash: Hash): boolean
}

export interface ChunksDeps {
  readonly blobs: BlobStore
  readonly appender: Appender
  readonly clock: Clock
  readonly metrics: GatewayMetrics
}

/** So many damaged chunks are remembered: an operator repairs the store when there are more. */
const MAX_DAMAGED = 100_000
/** Entries of packs that share one append: 90 bytes each, far below an append's bound. */
const MAX_GROUP_ENTRIES = 4096

export const createChunks = ({ blobs, appender, clock, metrics }: ChunksDeps): Chunks => {
  const damaged = createLru<Hash, true>(MAX_DAMAGED)
  const appendPacks = createGatherer(
    async (packs: readonly PackEvent[]) =>
      appender.append<never, undefined>(PACKS, async () =>
        E.right({ drafts: packs.map((pack) => draftOf(pack, clock.wall())), result: undefined }),
      ),
    MAX_GROUP_ENTRIES,
    ({ entries }) => entries.length,
  )
  const announce = async (packs: readonly PackEvent[]): Promise<E.Either<AppendFailure, void>> => {
    for (const appended of await Promise.all(packs.map(appendPacks))) if (E.isLeft(appended)) return appended
    return E.right(undefined)
  }
  return {
    isDamaged: (hash) => damaged.get(hash) === true,
    store: async (chunks) => {
      if (chunks.length === 0) return E.right(undefined)
      const packs = await blobs.put(chunks)()
      if (E.isLeft(packs)) return packs
      const announced = await announce(packs.right)
      if (E.isLeft(announced)) return announced
      for (const { hash } of chunks) damaged.delete(hash)
      metrics.stored(
        chunks.length,
        chunks.reduce((sum, { bytes }) => sum + bytes.length, 0),
      )
      return E.right(undefined)
    },
    read: async (hash, unchecked) => {
      const bytes = await blobs.get(hash, unchecked)()
      if (E.isLeft(bytes) && (bytes.left.tag === 'Damaged' || bytes.left.tag === 'NotFound')) damaged.set(hash, true)
      return bytes
    },
  }
}

const draftOf = (pack: PackEvent, time: number): Draft => ({
  id: uuidV5(`pack/${pack.pack}/${pack.entries.map(({ hash }) => hash).join('')}`),
  ...encodePackEvent(pack),
  metadata: encodeMetadata({ time, proof: 'gateway' }),
})
