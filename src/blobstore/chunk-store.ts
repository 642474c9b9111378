import * as E from 'fp-ts/lib/Either.js'
import type { Hash } from '../domain/content.ts'
import type { PackEvent } from '../domain/events.ts'
import { createLru, type Lru } from '../lib/lru.ts'
import { sha256 } from '../protocol/hash.ts'
import { arrange, inPacks } from './arrange.ts'
import { chunkName, packName } from './names.ts'
import { createOwnObjects, type OwnObjects } from './own-objects.ts'
import { encodePack, type Pack } from './pack.ts'
import { createPackReads } from './pack-reads.ts'
import type { NewChunk, ObjectStore, PackIndex, StoreError, SweptStore } from './port.ts'
import { createSweep } from './sweep.ts'
import { type DamagedObject, scanPacks, verifyObjects } from './verify.ts'

export interface ChunkStore extends SweptStore {
  /** What every pack says of itself, in no special order, without the entries that are damaged: the repair of the index. */
  scanPacks(): AsyncIterable<PackEvent>
  /** Reads everything, and names what is not what its name says; its chunks count as missing from then on. */
  verify(): AsyncIterable<DamagedObject>
}

export interface ChunkStoreOptions {
  /** So many bytes of what was put last, packs and small chunks that came alone, stay in memory, and are read from there: other devices want them at once. */
  readonly latestBytes?: number
}

type Result<A> = Promise<E.Either<StoreError, A>>

/** The parts that the operations share. `damaged`: what a read has found, until it is stored again. */
interface Parts {
  readonly store: ObjectStore
  readonly index: PackIndex
  readonly own: OwnObjects
  readonly readPacked: ReturnType<typeof createPackReads>
  readonly damaged: Set<Hash>
  /** Packs, and small chunks by their own hash, as they were put a moment ago. */
  readonly latest: Lru<string, Buffer>
}

const checked = (hash: Hash, name: string, read: E.Either<StoreError, Buffer>): E.Either<StoreError, Buffer> =>
  E.isLeft(read) || sha256(read.right) === hash ? read : E.left({ tag: 'Damaged', name, reason: `the bytes of ${hash} have another hash` })

const mayBeElsewhere = (read: E.Either<StoreError, Buffer>): boolean =>
  E.isLeft(read) && (read.left.tag === 'Damaged' || read.left.tag === 'NotFound')

const getPacked = async ({ index, readPacked, latest }: Parts, hash: Hash): Promise<E.Either<StoreError, Buffer> | undefined> => {
  const place = index.find(hash)
  if (place === undefined) return undefined
  const pack = latest.get(place.pack)
  if (pack !== undefined) return E.right(pack.subarray(place.offset, place.offset + place.size))
  return checked(hash, packName(place.pack), await readPacked(place))
}

const getOwn = async ({ own, index, latest }: Parts, hash: Hash): Result<Buffer> => {
  if (index.isRetired({ chunk: hash })) return E.left({ tag: 'NotFound', name: chunkName(hash) })
  const kept = latest.get(hash)
  return kept === undefined ? own.get(hash) : E.right(kept)
}

/** From its pack, and where that fails from the object of its own that a repair made. */
const get = async (parts: Parts, hash: Hash, unchecked: boolean): Result<Buffer> => {
  const packed = await getPacked(parts, hash)
  if (packed !== undefined && !mayBeElsewhere(packed)) return packed
  const read = await getOwn(parts, hash)
  if (unchecked && E.isRight(read)) return read
  const own = checked(hash, chunkName(hash), read)
  if (!mayBeElsewhere(own)) return own
  const absent = packed === undefined && E.isLeft(own) && own.left.tag === 'NotFound'
  if (!absent) parts.damaged.add(hash)
  return packed ?? own
}

/** A pack whose name was never retired: its bytes begin with other salt where the plain one's was. */
const encodeFresh = (index: PackIndex, chunks: readonly NewChunk[]): Pack => {
  for (let salt = 0; ; salt += 1) {
    const pack = encodePack(chunks, salt)
    if (!index.isRetired({ pack: pack.hash })) return pack
  }
}

const putPack = async ({ store, index, latest }: Parts, chunks: readonly NewChunk[]): Result<readonly PackEvent[]> => {
  const { hash, bytes, entries } = encodeFresh(index, chunks)
  const stored = await store.put(packName(hash), [bytes])()
  if (E.isRight(stored)) latest.set(hash, bytes)
  return E.map((): readonly PackEvent[] => [{ type: 'PackStored', pack: hash, entries }])(stored)
}

/** Larger ones are as quickly read as kept, and would push out all others. */
const KEPT_ALONE_BYTES = 64 * 1024

const putOwn = async ({ own, damaged, latest }: Parts, chunk: NewChunk): Result<readonly PackEvent[]> => {
  const stored = await own.put(chunk, damaged.has(chunk.hash))
  if (E.isRight(stored)) damaged.delete(chunk.hash)
  // A copy: the chunk's bytes are a piece of the message that it came in.
  if (E.isRight(stored) && chunk.bytes.length <= KEPT_ALONE_BYTES) latest.set(chunk.hash, Buffer.from(chunk.bytes))
  return E.map((): readonly PackEvent[] => [])(stored)
}

/** Those to store, each once; and those among them that replace damaged ones, which become objects of their own: the index knows their packs. */
const toStore = (
  { index, damaged }: Parts,
  chunks: readonly NewChunk[],
): { readonly fresh: readonly NewChunk[]; readonly repairs: readonly NewChunk[] } => {
  const each = [...new Map(chunks.map((chunk) => [chunk.hash, chunk])).values()]
  return {
    fresh: index.together(() => each.filter(({ hash }) => !damaged.has(hash) && index.find(hash) === undefined)),
    repairs: each.filter(({ hash }) => damaged.has(hash)),
  }
}

const put = async (parts: Parts, chunks: readonly NewChunk[]): Result<readonly PackEvent[]> => {
  const wrong = chunks.find(({ hash, bytes, checked: before }) => before !== true && sha256(bytes) !== hash)
  if (wrong !== undefined) return E.left({ tag: 'Damaged', name: chunkName(wrong.hash), reason: 'the bytes given have another hash' })
  const { fresh, repairs } = toStore(parts, chunks)
  const { own, packs } = arrange(fresh)
  // Of one that is gone the log must tell that it is there again: only a pack's event does.
  const isSpent = ({ hash }: NewChunk): boolean => parts.index.isRetired({ chunk: hash }) || parts.index.isGone(hash)
  const alone = [...own, ...repairs]
  // All are waited for, also where one fails: nothing goes on behind the caller's back.
  const results = await Promise.all([
    ...[...packs, ...alone.filter(isSpent).map((chunk) => [chunk])].map((pack) => putPack(parts, pack)),
    ...alone.filter((chunk) => !isSpent(chunk)).map((chunk) => putOwn(parts, chunk)),
  ])
  const stored = E.sequenceArray(results)
  if (E.isRight(stored)) for (const { hash } of repairs) parts.damaged.delete(hash)
  return E.map((events: readonly (readonly PackEvent[])[]) => events.flat())(stored)
}

const copy = async (parts: Parts, chunks: readonly NewChunk[]): Result<readonly PackEvent[]> => {
  const results = await Promise.all(inPacks(chunks).map((pack) => putPack(parts, pack)))
  return E.map((events: readonly (readonly PackEvent[])[]) => events.flat())(E.sequenceArray(results))
}

const missing = async ({ index, own, damaged }: Parts, hashes: readonly Hash[]): Result<readonly Hash[]> => {
  const has = async (hash: Hash): Result<boolean> => {
    if (damaged.has(hash)) return E.right(false)
    if (index.find(hash) !== undefined) return E.right(true)
    return index.isRetired({ chunk: hash }) ? E.right(false) : own.has(hash)
  }
  const found = E.sequenceArray(await Promise.all(hashes.map(has)))
  return E.map((there: readonly boolean[]) => hashes.filter((_, at) => there[at] !== true))(found)
}

/**
 * Chunks over any object store. A small chunk that comes alone, and any of 256 KiB or more, is an object of its own; the small ones of
 * a batch share packs. A small chunk is looked for in the index alone: one that is an object of its own already is
 * stored once more when it comes in a batch, since asking the store for each would cost more than that ever saves.
 */
export const createBlobStore = (store: ObjectStore, index: PackIndex, { latestBytes = 0 }: ChunkStoreOptions = {}): ChunkStore => {
  const damaged = new Set<Hash>()
  const parts: Parts = {
    store,
    index,
    own: createOwnObjects(store),
    readPacked: createPackReads(store),
    damaged,
    latest: createLru(latestBytes, ({ length }) => length),
  }
  async function* verify(): AsyncGenerator<DamagedObject> {
    for await (const found of verifyObjects(store)) {
      for (const hash of found.chunks) damaged.add(hash)
      yield found
    }
  }
  return {
    copy: (chunks) => () => copy(parts, chunks),
    sweep: createSweep(store),
    put: (chunks) => () => put(parts, chunks),
    get:
      (hash, unchecked = false) =>
      () =>
        get(parts, hash, unchecked),
    missing: (hashes) => () => missing(parts, hashes),
    scanPacks: () => scanPacks(store),
    verify,
  }
}
