import { randomFillSync } from 'node:crypto'
import { createBlobStore, type ChunkStore } from '../../src/blobstore/chunk-store.ts'
import type { NewChunk, ObjectStore, PackIndex } from '../../src/blobstore/port.ts'
import type { Hash } from '../../src/domain/content.ts'
import type { PackEvent } from '../../src/domain/events.ts'
import { sha256 } from '../../src/protocol/hash.ts'
import { right } from './support.ts'

export const KIB = 1024

export const chunkOf = (bytes: Uint8Array): NewChunk => ({ bytes, hash: sha256(bytes) })

export const newChunk = (size: number): NewChunk => chunkOf(randomFillSync(Buffer.alloc(size)))

export const newChunks = (count: number, size: number): readonly NewChunk[] => Array.from({ length: count }, () => newChunk(size))

export const hashesOf = (chunks: readonly NewChunk[]): readonly Hash[] => chunks.map(({ hash }) => hash)

/** What the projection of `PackStored` keeps. */
export interface TestIndex extends PackIndex {
  add(events: readonly PackEvent[]): void
}

export const createIndex = (): TestIndex => {
  const places = new Map<Hash, { readonly pack: string; readonly offset: number; readonly size: number }>()
  const add = ({ pack, entries }: PackEvent): void =>
    entries.forEach(({ hash, offset, size }) => void places.set(hash, { pack, offset, size }))
  return {
    find: (hash) => places.get(hash),
    isGone: () => false,
    isRetired: () => false,
    together: (ask) => ask(),
    add: (events) => events.forEach(add),
  }
}

/** A store that also tells what it was asked for. */
export const counted = (store: ObjectStore): ObjectStore & { readonly calls: string[] } => {
  const calls: string[] = []
  const noted = <A>(call: string, name: string, answer: A): A => {
    calls.push(`${call} ${name.split('/')[0]}`)
    return answer
  }
  return {
    calls,
    put: (name, bytes) => noted('put', name, store.put(name, bytes)),
    get: (name, range) => noted('get', name, store.get(name, range)),
    stat: (name) => noted('stat', name, store.stat(name)),
    list: (prefix) => store.list(prefix),
    remove: (name) => store.remove(name),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

export const namesIn = async (store: ObjectStore): Promise<readonly string[]> => {
  const names: string[] = []
  for await (const { name } of store.list('')) names.push(name)
  return names.toSorted()
}

export const all = async <A>(items: AsyncIterable<A>): Promise<readonly A[]> => {
  const found: A[] = []
  for await (const item of items) found.push(item)
  return found
}

/** A blob store whose packs are indexed as soon as they are stored, as the gateway does by appending their events. */
export interface Blobs {
  readonly chunks: ChunkStore
  readonly index: TestIndex
  put(batch: readonly NewChunk[]): Promise<readonly PackEvent[]>
  get(hash: Hash): Promise<Buffer>
  missing(hashes: readonly Hash[]): Promise<readonly Hash[]>
}

export const openBlobs = (store: ObjectStore, index: TestIndex = createIndex()): Blobs => {
  const chunks = createBlobStore(store, index)
  return {
    chunks,
    index,
    put: async (batch) => {
      const events = right(await chunks.put(batch)())
      index.add(events)
      return events
    },
    get: async (hash) => right(await chunks.get(hash)()),
    missing: async (hashes) => right(await chunks.missing(hashes)()),
  }
}
