import * as E from 'fp-ts/lib/Either.js'
import type { BlobStore, NewChunk, StoreError } from '../blobstore/port.ts'
import type { Hash } from '../domain/content.ts'
import { createLru } from '../lib/lru.ts'
import { createGatherer } from '../lib/gather.ts'
import { createLimit, type Limit } from '../lib/limit.ts'
import type { Followed } from '../projections/port.ts'
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
  /** Announces packs that are stored already. */
  announce(packs: readonly PackEvent[]): Promise<E.Either<AppendFailure | NameSpent, void>>
  /** One append of the stream of packs at a time: whoever else appends to it takes turns with the store. */
  readonly inTurn: Limit
}

/** A pack was put under a name that retention has taken away meanwhile: it is to be put again, and gets another. */
export interface NameSpent {
  readonly tag: 'NameSpent'
}

export interface ChunksDeps {
  readonly blobs: BlobStore
  readonly appender: Appender
  readonly followed: Pick<Followed, 'isRetired'>
  readonly clock: Clock
  readonly metrics: GatewayMetrics
}

/** So many damaged chunks are remembered: an operator repairs the store when there are more. */
const MAX_DAMAGED = 100_000
/** Entries of packs that share one append: 90 bytes each, far below an append's bound. */
const MAX_GROUP_ENTRIES = 4096
/** Retention takes a name away once: the next put has another. */
const MAX_TRIES = 3
const SPENT: AppendFailure = { tag: 'Unavailable', reason: 'the packs were retired as they were stored' }

export const createChunks = ({ blobs, appender, followed, clock, metrics }: ChunksDeps): Chunks => {
  const damaged = createLru<Hash, true>(MAX_DAMAGED)
  const inTurn = createLimit(1)
  const draftsOf = (packs: readonly PackEvent[]): E.Either<NameSpent, { drafts: readonly Draft[]; result: undefined }> =>
    packs.some(({ pack }) => followed.isRetired({ pack }))
      ? E.left({ tag: 'NameSpent' })
      : E.right({ drafts: packs.map((pack) => draftOf(pack, clock.wall())), result: undefined })
  const appendPacks = createGatherer(
    (packs: readonly PackEvent[]) => inTurn(() => appender.append<NameSpent, undefined>(PACKS, async () => draftsOf(packs))),
    MAX_GROUP_ENTRIES,
    ({ entries }) => entries.length,
  )
  const announce: Chunks['announce'] = async (packs) => {
    for (const appended of await Promise.all(packs.map(appendPacks))) if (E.isLeft(appended)) return appended
    return E.right(undefined)
  }
  const put = async (chunks: readonly NewChunk[]): Promise<E.Either<StoreError | AppendFailure, void>> => {
    for (let tries = 1; ; tries += 1) {
      const packs = await blobs.put(chunks)()
      if (E.isLeft(packs)) return packs
      const announced = await announce(packs.right)
      if (E.isRight(announced) || announced.left.tag !== 'NameSpent')
        return E.mapLeft((left: AppendFailure | NameSpent) => (left.tag === 'NameSpent' ? SPENT : left))(announced)
      if (tries === MAX_TRIES) return E.left(SPENT)
    }
  }
  return {
    isDamaged: (hash) => damaged.get(hash) === true,
    announce,
    inTurn,
    store: async (chunks) => {
      if (chunks.length === 0) return E.right(undefined)
      const stored = await put(chunks)
      if (E.isLeft(stored)) return stored
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
