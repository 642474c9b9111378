/**
 * Puts chunks into the file-system store in a directory, many at once, and reports on a line of its own the hash of each that was
 * stored, until an answer is a left: then `left <tag>`, `shown <n>` (how many objects are to be seen, each looked at and whole),
 * and with a second argument (a file to remove, which frees space) `again <answer>`.
 */
import { randomBytes } from 'node:crypto'
import { rmSync, writeSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { createBlobStore } from '../../../src/blobstore/chunk-store.ts'
import { openFilesystemStore } from '../../../src/blobstore/object-store/filesystem.ts'
import type { NewChunk } from '../../../src/blobstore/port.ts'
import { all, chunkOf } from '../blobstore.support.ts'
import { outcomeOf, right } from '../support.ts'

const [root, filler] = process.argv.slice(2)
if (root === undefined) throw new Error('a directory must be given')
const store = right(await openFilesystemStore(root)())
const blobs = createBlobStore(store, { find: () => undefined, isGone: () => false, isRetired: () => false, together: (ask) => ask() })
const report = (line: string): number => writeSync(1, `${line}\n`)

const putOne = async (): Promise<{ readonly tag: string; readonly chunk: NewChunk }> => {
  const chunk = chunkOf(randomBytes(40_000))
  const answer = await blobs.put([chunk])()
  if (E.isRight(answer)) report(chunk.hash)
  return { tag: outcomeOf(answer), chunk }
}

const afterwards = async (tag: string, chunk: NewChunk): Promise<void> => {
  report(`left ${tag}`)
  const damaged = await all(blobs.verify())
  if (damaged.length > 0) throw new Error(JSON.stringify(damaged))
  report(`shown ${(await all(store.list(''))).length}`)
  if (filler === undefined) return
  rmSync(filler)
  report(`again ${outcomeOf(await blobs.put([chunk])())}`)
}

for (;;) {
  const failed = (await Promise.all(Array.from({ length: 20 }, putOne))).find(({ tag }) => tag !== 'right')
  if (failed === undefined) continue
  await afterwards(failed.tag, failed.chunk)
  break
}
