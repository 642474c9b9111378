import * as E from 'fp-ts/lib/Either.js'
import type { Hash } from '../domain/content.ts'
import { chunkName } from './names.ts'
import type { NewChunk, ObjectStore, StoreError } from './port.ts'

/** The chunks that are objects of their own. */
export interface OwnObjects {
  /** Stores a chunk; `again` even where an object of its name and size is there. */
  put(chunk: NewChunk, again: boolean): Promise<E.Either<StoreError, void>>
  get(hash: Hash): Promise<E.Either<StoreError, Buffer>>
  /** Whether it is there and durable. */
  has(hash: Hash): Promise<E.Either<StoreError, boolean>>
}

export const createOwnObjects = (store: ObjectStore): OwnObjects => {
  // An object can be seen before it is durable: who needs it meanwhile waits for the same put.
  const storing = new Map<Hash, Promise<E.Either<StoreError, void>>>()

  const isThere = async ({ hash, bytes }: NewChunk): Promise<boolean> => {
    const size = await store.stat(chunkName(hash))()
    return E.isRight(size) && size.right === bytes.length
  }

  const putNew = async (chunk: NewChunk, again: boolean): Promise<E.Either<StoreError, void>> =>
    !again && (await isThere(chunk)) ? E.right(undefined) : store.put(chunkName(chunk.hash), [chunk.bytes])()

  return {
    put: (chunk, again) => {
      const running = storing.get(chunk.hash)
      if (running !== undefined) return running
      const putting = putNew(chunk, again).finally(() => storing.delete(chunk.hash))
      storing.set(chunk.hash, putting)
      return putting
    },
    get: (hash) => store.get(chunkName(hash))(),
    has: async (hash) => {
      if (storing.has(hash)) return E.right(false)
      const size = await store.stat(chunkName(hash))()
      if (E.isRight(size)) return E.right(true)
      return size.left.tag === 'NotFound' ? E.right(false) : size
    },
  }
}
