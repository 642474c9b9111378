/** Chunks into and out of the file-system store: `bin/node24 bench/micro/blobstore.ts [DIRECTORY]`. */
import { hash, randomFillSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { createBlobStore } from '../../src/blobstore/chunk-store.ts'
import { openFilesystemStore } from '../../src/blobstore/object-store/filesystem.ts'
import type { BlobStore, NewChunk, PackIndex } from '../../src/blobstore/port.ts'
import type { Hash } from '../../src/domain/content.ts'
import type { PackEvent } from '../../src/domain/events.ts'
import { sha256 } from '../../src/protocol/hash.ts'

const must = <L, A>(either: E.Either<L, A>): A => {
  if (E.isLeft(either)) throw new Error(JSON.stringify(either.left))
  return either.right
}

/** What the projection of `PackStored` does. */
const createIndex = (): PackIndex & { readonly add: (event: PackEvent) => void } => {
  const places = new Map<Hash, { pack: string; offset: number; size: number }>()
  return {
    find: (chunk) => places.get(chunk),
    isGone: () => false,
    isRetired: () => false,
    together: (ask) => ask(),
    add: ({ pack, entries }) => entries.forEach(({ hash: chunk, offset, size }) => places.set(chunk, { pack, offset, size })),
  }
}

const chunksOf = (count: number, size: number): readonly NewChunk[] =>
  Array.from({ length: count }, () => {
    const bytes = randomFillSync(Buffer.allocUnsafeSlow(size))
    return { bytes, hash: sha256(bytes) }
  })

const timed = async (name: string, count: number, bytes: number, run: () => Promise<void>): Promise<void> => {
  const cpu = process.cpuUsage()
  const start = performance.now()
  await run()
  const ms = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  const rates = `${Math.round((count / ms) * 1000)}/s, ${Math.round((bytes / ms / 1024 / 1024) * 1000)} MiB/s, CPU ${Math.round((user + system) / 1000)} ms`
  console.log(`${name}: ${Math.round(ms)} ms, ${rates}`)
}

const inBatches = async <A>(all: readonly A[], size: number, run: (batch: readonly A[]) => Promise<void>): Promise<void> => {
  for (let at = 0; at < all.length; at += size) await run(all.slice(at, at + size))
}

const bench = async (root: string, count: number, size: number, batch: number): Promise<void> => {
  const store = must(await openFilesystemStore(root)())
  const index = createIndex()
  const blobs: BlobStore = createBlobStore(store, index)
  const chunks = chunksOf(count, size)
  const name = `${count} chunks of ${size / 1024} KiB, ${batch} at a time`
  await timed(`hash ${name}`, count, count * size, async () => chunks.forEach(({ bytes }) => hash('sha256', bytes)))
  await timed(`put ${name}`, count, count * size, () =>
    inBatches(chunks, batch, async (some) => must(await blobs.put(some)()).forEach(index.add)),
  )
  await timed(`missing ${name}`, count, 0, () =>
    inBatches(chunks, batch, async (some) => void must(await blobs.missing(some.map((chunk) => chunk.hash))())),
  )
  await timed(`get ${name}`, count, count * size, () =>
    inBatches(chunks, batch, async (some) => void (await Promise.all(some.map(async (chunk) => must(await blobs.get(chunk.hash)()))))),
  )
}

const directory = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'bench-blobs-'))
for (const round of ['a', 'b']) {
  await bench(join(directory, 'small', round), 10_000, 10 * 1024, 256)
  await bench(join(directory, 'large', round), 1024, 1024 * 1024, 8)
  await bench(join(directory, 'large16', round), 1024, 1024 * 1024, 16)
  await bench(join(directory, 'alone', round), 500, 1024, 1)
}
rmSync(directory, { recursive: true })
