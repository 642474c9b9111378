import type { Chunk } from '../../domain/content.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { TakeChunk } from '../disk/port.ts'
import type { FolderContext } from './context.ts'
import { sendEarly } from './early-upload.ts'
import { noteReading, type Found } from './local-tree.ts'
import { rootIsHere } from './root.ts'

const BATCH_FILES = 256
const BATCH_BYTES = 4 * 1024 * 1024
/** Larger files are read beside everything else, so that they hold up nothing. */
const LARGE = 8 * 1024 * 1024
const LARGE_AT_ONCE = 2

type Wanted = Found['read'][number]

const batchesOf = (files: readonly Wanted[]): SyncPath[][] => {
  const batches: SyncPath[][] = []
  let batch: SyncPath[] = []
  let bytes = 0
  for (const { path, size } of files) {
    if (batch.length > 0 && (batch.length >= BATCH_FILES || bytes + size > BATCH_BYTES)) {
      batches.push(batch)
      batch = []
      bytes = 0
    }
    batch.push(path)
    bytes += size
  }
  if (batch.length > 0) batches.push(batch)
  return batches
}

/** Reads and hashes files that a look found changed: small ones in batches that the caller waits for, large ones on their own. */
export class FileReader {
  readonly #ctx: FolderContext
  readonly #large: Wanted[] = []
  #running = 0

  constructor(ctx: FolderContext) {
    this.#ctx = ctx
  }

  async read(files: readonly Wanted[]): Promise<void> {
    const fresh = files.filter(({ path }) => this.#begin(path))
    const small = fresh.filter(({ size }) => size <= LARGE)
    for (const file of fresh) if (file.size > LARGE) this.#large.push(file)
    this.#startLarge()
    await Promise.all(batchesOf(small).map((batch) => this.#readBatch(batch)))
  }

  #begin(path: SyncPath): boolean {
    const running = this.#ctx.reading.get(path)
    if (running !== undefined) running.again = true
    else this.#ctx.reading.set(path, { again: false, stale: false })
    return running === undefined
  }

  async #readBatch(paths: readonly SyncPath[], like?: readonly Chunk[], take?: TakeChunk): Promise<void> {
    const readings = await this.#ctx.deps.disk.read(paths, like, take)
    if (this.#ctx.stopped()) return
    // Without its marker nothing in the folder can be read: when it is back, it is scanned.
    const lost = readings.some(({ tag }) => tag === 'failed') && !(await rootIsHere(this.#ctx))
    if (this.#ctx.stopped()) return
    if (!lost) {
      this.#ctx.index.note(() => {
        for (const reading of readings) if (!this.#isStale(reading.path)) noteReading(this.#ctx, reading)
      })
    }
    for (const path of paths) this.#end(path)
  }

  #isStale(path: SyncPath): boolean {
    return this.#ctx.reading.get(path)?.stale === true
  }

  #end(path: SyncPath): void {
    const running = this.#ctx.reading.get(path)
    this.#ctx.reading.delete(path)
    if (running?.again === true || running?.stale === true) this.#ctx.look(path)
    this.#ctx.wake.publish.notify()
    this.#ctx.wake.settled.notify()
  }

  /** What it most likely holds, for the most part: what it did, or what the file did that was moved here. */
  #like({ path, inode }: Wanted): readonly Chunk[] {
    const before = this.#ctx.index.chunksOf(path)
    return before.length > 0 ? before : (this.#ctx.deletions.goneChunks.get(inode) ?? [])
  }

  #startLarge(): void {
    while (this.#running < LARGE_AT_ONCE) {
      const next = this.#large.shift()
      if (next === undefined) return
      this.#running += 1
      this.#ctx.run(
        this.#readBatch([next.path], this.#like(next), next.settled ? sendEarly(this.#ctx) : undefined).finally(() => {
          this.#running -= 1
          this.#startLarge()
        }),
      )
    }
  }
}
