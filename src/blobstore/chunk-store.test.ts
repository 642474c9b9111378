import { expect, it } from 'vitest'
import { counted, createIndex, hashesOf, KIB, newChunks } from '../../test/contract/blobstore.support.ts'
import { right } from '../../test/contract/support.ts'
import { createBlobStore } from './chunk-store.ts'
import { createMemoryStore } from './object-store/memory.ts'

it('packs that were put last are read from memory, older ones from the store (I16)', async () => {
  const store = counted(createMemoryStore())
  const index = createIndex()
  const blobs = createBlobStore(store, index, { latestBytes: 700 * KIB })
  const batches = [newChunks(50, 10 * KIB), newChunks(50, 10 * KIB)]
  for (const batch of batches) index.add(right(await blobs.put(batch)()))
  const readsOf = async (batch: (typeof batches)[number]): Promise<readonly string[]> => {
    store.calls.length = 0
    const read = await Promise.all(hashesOf(batch).map(async (hash) => right(await blobs.get(hash)())))
    expect(read.every((bytes, at) => bytes.equals(batch[at]!.bytes))).toBe(true)
    return [...store.calls]
  }
  expect(await readsOf(batches[1]!)).toEqual([])
  expect(await readsOf(batches[0]!)).toEqual(['get packs'])
})

it('a small chunk that came alone is read from memory, a larger one from the store', async () => {
  const store = counted(createMemoryStore())
  const blobs = createBlobStore(store, createIndex(), { latestBytes: 700 * KIB })
  const [small, large] = [newChunks(1, KIB), newChunks(1, 300 * KIB)]
  for (const chunks of [small, large]) right(await blobs.put(chunks)())
  store.calls.length = 0
  for (const [chunk] of [small, large]) expect(right(await blobs.get(chunk!.hash)())).toEqual(Buffer.from(chunk!.bytes))
  expect(store.calls).toEqual(['get chunks'])
})
