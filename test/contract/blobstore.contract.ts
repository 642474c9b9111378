import * as E from 'fp-ts/lib/Either.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { NewChunk, ObjectStore } from '../../src/blobstore/port.ts'
import {
  all,
  type Blobs,
  chunkOf,
  counted,
  createIndex,
  hashesOf,
  KIB,
  namesIn,
  newChunk,
  newChunks,
  openBlobs,
} from './blobstore.support.ts'
import type { StoreAdapter, StoreFixture } from './objectstore.adapters.ts'
import { outcomeOf, right } from './support.ts'

let fixture: StoreFixture
let store: ObjectStore
let blobs: Blobs

const expectAll = async (chunks: readonly NewChunk[], from: Blobs = blobs): Promise<void> => {
  const read = await Promise.all(hashesOf(chunks).map((hash) => from.get(hash)))
  expect(read.every((bytes, at) => bytes.equals(chunks[at]!.bytes))).toBe(true)
  expect(await from.missing(hashesOf(chunks))).toEqual([])
}

const kinds = (names: readonly string[]): readonly string[] => names.map((name) => name.split('/')[0] ?? '')

const putting = (): void => {
  it('makes a large chunk, and a small one that comes alone, an object of its own', async () => {
    const chunks = [newChunk(4096 * KIB), newChunk(256 * KIB), newChunk(10)]
    expect(await blobs.put(chunks)).toEqual([])
    expect(await namesIn(store)).toEqual(
      hashesOf(chunks)
        .map((hash) => `chunks/${hash.slice(0, 2)}/${hash}`)
        .toSorted(),
    )
    await expectAll(chunks)
  })

  it('lets the small chunks of a batch share a pack, and tells where they lie', async () => {
    const small = [newChunk(256 * KIB - 1), ...newChunks(100, 10 * KIB), newChunk(1)]
    const [event, ...others] = await blobs.put([...small, newChunk(256 * KIB)])
    expect(others).toEqual([])
    expect(event).toMatchObject({ type: 'PackStored', entries: small.map(({ hash, bytes }) => ({ hash, size: bytes.length })) })
    const pack = right(await store.get(`packs/${event!.pack.slice(0, 2)}/${event!.pack}`)())
    expect(chunkOf(pack).hash).toBe(event!.pack)
    expect(kinds(await namesIn(store))).toEqual(['chunks', 'packs'])
    await expectAll(small)
  })

  it('cuts packs at 8 MiB and at 2,048 chunks', async () => {
    const chunks = [...newChunks(2500, 16), ...newChunks(90, 200 * KIB)]
    const events = await blobs.put(chunks)
    expect(events.map(({ entries }) => entries.length).reduce((sum, count) => sum + count)).toBe(chunks.length)
    expect(Math.max(...events.map(({ entries }) => entries.length))).toBe(2048)
    const objects = await all(store.list('packs/'))
    expect(objects).toHaveLength(events.length)
    expect(Math.max(...objects.map(({ size }) => size))).toBeLessThanOrEqual(8192 * KIB)
    expect(objects.length).toBeLessThanOrEqual(4)
    await expectAll(chunks)
  })

  it('stores nothing of a batch in which a chunk has another hash', async () => {
    const wrong = { hash: newChunk(1).hash, bytes: Buffer.from('other') }
    const chunks = [newChunk(300 * KIB), newChunk(1), newChunk(2), wrong]
    expect(outcomeOf(await blobs.chunks.put(chunks)())).toBe('Damaged')
    expect(await namesIn(store)).toEqual([])
    expect(await blobs.missing(hashesOf(chunks))).toEqual(hashesOf(chunks))
  })

  it('stores a chunk once, in a batch and ever after', async () => {
    const [large, alone, one, two] = [newChunk(300 * KIB), newChunk(5), newChunk(6), newChunk(7)]
    await blobs.put([large, large])
    await blobs.put([alone, alone])
    await blobs.put([one, two, one])
    const stored = await namesIn(store)
    const again = counted(store)
    const other = openBlobs(again, blobs.index)
    expect([await other.put([large, one]), await other.put([alone]), await other.put([two, one, large])]).toEqual([[], [], []])
    expect(again.calls.filter((call) => call.startsWith('put'))).toEqual([])
    expect(await namesIn(store)).toEqual(stored)
  })

  it('takes no chunk for stored that is shorter than it should be', async () => {
    const chunk = newChunk(300 * KIB)
    await blobs.put([chunk])
    await fixture.cut((await namesIn(store))[0]!, 1000)
    await blobs.put([chunk])
    await expectAll([chunk])
  })

  it('is content with callers that put the same chunks at once, and with none at all', async () => {
    const chunks = [newChunk(300 * KIB), ...newChunks(10, KIB)]
    await Promise.all(Array.from({ length: 10 }, () => blobs.put(chunks)))
    await expectAll(chunks)
    expect(await namesIn(store)).toHaveLength(2)
    expect(await blobs.put([])).toEqual([])
  })

  it('passes on that the store is out of reach', async () => {
    await fixture.break()
    expect(outcomeOf(await blobs.chunks.put(newChunks(2, 1))())).toBe('Unavailable')
    expect(outcomeOf(await blobs.chunks.put([newChunk(300 * KIB)])())).toBe('Unavailable')
  })
}

const reading = (): void => {
  it('knows what is missing', async () => {
    const [large, alone, packed, absent] = [newChunk(300 * KIB), newChunk(1), newChunk(2), newChunk(3)]
    await blobs.put([large])
    await blobs.put([alone])
    await blobs.put([packed, newChunk(4)])
    expect(await blobs.missing(hashesOf([absent, large, alone, packed]))).toEqual([absent.hash])
    expect(await blobs.missing([])).toEqual([])
  })

  it('answers NotFound for a chunk that is not stored, or whose pack nobody has told of', async () => {
    const [one, two] = [newChunk(1), newChunk(2)]
    right(await blobs.chunks.put([one, two])())
    for (const hash of [one.hash, newChunk(3).hash]) expect(outcomeOf(await blobs.chunks.get(hash)())).toBe('NotFound')
  })

  it('reads the chunks of a pack that are asked for together in a few calls', async () => {
    const chunks = newChunks(256, 10 * KIB)
    await blobs.put(chunks)
    const reads = counted(store)
    await expectAll(chunks.toReversed(), openBlobs(reads, blobs.index))
    expect(reads.calls.length).toBeLessThanOrEqual(2)
  })

  it('reads those that it can when they are asked for together with others that it cannot', async () => {
    const chunks = newChunks(3, 100)
    const [event] = await blobs.put(chunks)
    await fixture.cut((await namesIn(store))[0]!, event!.entries[2]!.offset)
    const answers = await Promise.all(hashesOf(chunks).map((hash) => blobs.chunks.get(hash)()))
    expect(answers.map(outcomeOf)).toEqual(['right', 'right', 'Damaged'])
  })
}

/** What a flipped bit does to a chunk that lies in a pack, or not. */
const damaging = (where: 'own object' | 'pack'): void => {
  const stored = async (): Promise<{ readonly victim: NewChunk; readonly others: readonly NewChunk[]; readonly name: string }> => {
    const others = newChunks(20, KIB)
    const victim = newChunk(2 * KIB)
    if (where === 'pack') await blobs.put([...others.slice(0, 10), victim, ...others.slice(10)])
    else await blobs.put([victim])
    const name = (await namesIn(store))[0]!
    if (where === 'own object') await blobs.put(others)
    const start = blobs.index.find(victim.hash)?.offset ?? 0
    await fixture.flip(name, (start + 1000) * 8 + 3)
    return { victim, others, name }
  }

  it('finds a flipped bit when it reads, asks for the chunk again, and takes it', async () => {
    const { victim, others, name } = await stored()
    expect(await blobs.chunks.get(victim.hash)()).toMatchObject(E.left({ tag: 'Damaged', name }))
    expect(await blobs.missing(hashesOf([...others, victim]))).toEqual([victim.hash])
    await expectAll(others)
    await blobs.put([victim, others[0]!])
    await expectAll([...others, victim])
    await expectAll([...others, victim], openBlobs(store, blobs.index))
  })

  it('finds it when it verifies, and names the object and the chunk', async () => {
    const { victim, name } = await stored()
    expect(await all(blobs.chunks.verify())).toEqual([
      { name, reason: expect.stringMatching('another hash') as string, chunks: [victim.hash] },
    ])
    expect(await blobs.missing([victim.hash])).toEqual([victim.hash])
  })

  it('counts a chunk whose object has gone or was cut off as missing, once that was seen', async () => {
    const { victim, others, name } = await stored()
    await fixture.cut(name, 700)
    expect(outcomeOf(await blobs.chunks.get(victim.hash)())).toBe('Damaged')
    right(await store.remove(name)())
    expect(outcomeOf(await blobs.chunks.get(victim.hash)())).toBe('NotFound')
    expect(await blobs.missing([victim.hash])).toEqual([victim.hash])
    await blobs.put([victim])
    await expectAll([victim])
    if (where === 'own object') await expectAll(others)
  })
}

const repairing = (): void => {
  it('rebuilds the index from the packs alone', async () => {
    const chunks = [...newChunks(300, 10 * KIB), ...newChunks(5, 255 * KIB)]
    const events = [...(await blobs.put(chunks)), ...(await blobs.put(newChunks(3, 9)))]
    await blobs.put([newChunk(300 * KIB)])
    const scanned = await all(blobs.chunks.scanPacks())
    const byPack = (a: { readonly pack: string }, b: { readonly pack: string }): number => (a.pack < b.pack ? -1 : 1)
    expect(scanned.toSorted(byPack)).toEqual(events.toSorted(byPack))
    const index = createIndex()
    index.add(scanned)
    await expectAll(chunks, openBlobs(store, index))
  })

  it('leaves damaged chunks out of it', async () => {
    const chunks = newChunks(5, 100)
    const [event] = await blobs.put(chunks)
    await fixture.flip((await namesIn(store))[0]!, (event!.entries[2]!.offset + 50) * 8)
    const [scanned] = await all(blobs.chunks.scanPacks())
    expect(scanned).toEqual({ ...event, entries: event!.entries.toSpliced(2, 1) })
    await fixture.cut((await namesIn(store))[0]!, 300)
    expect(await all(blobs.chunks.scanPacks())).toEqual([])
  })

  it('finds any flipped bit of any object, and an object that is not its own (I9)', async () => {
    await blobs.put(newChunks(3, 40))
    await blobs.put([newChunk(30)])
    expect(await all(blobs.chunks.verify())).toEqual([])
    for (const name of await namesIn(store)) {
      const bits = right(await store.stat(name)()) * 8
      for (let bit = 0; bit < bits; bit += 37) {
        await fixture.flip(name, bit)
        expect((await all(blobs.chunks.verify())).map((found) => found.name)).toEqual([name])
        await fixture.flip(name, bit)
      }
    }
    right(await store.put('packs/ab/stranger', [])())
    expect((await all(blobs.chunks.verify())).map((found) => found.name)).toEqual(['packs/ab/stranger'])
  })
}

/** What the blob store promises over every object store. */
export const blobStoreContract = (adapter: StoreAdapter): void => {
  beforeEach(async () => {
    fixture = await adapter.create()
    store = await fixture.open()
    blobs = openBlobs(store)
  })
  afterEach(async () => {
    await store[Symbol.asyncDispose]()
    await fixture[Symbol.asyncDispose]()
  })
  describe('put', () => putting())
  describe('get and missing', () => reading())
  describe.each(['own object', 'pack'] as const)('damage in its %s', (where) => damaging(where))
  describe('scanPacks and verify', () => repairing())
}
