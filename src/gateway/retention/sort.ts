import * as E from 'fp-ts/lib/Either.js'
import type { NewChunk, SweptObject } from '../../blobstore/port.ts'
import { fateOf } from './policy.ts'
import { retire, type Candidate } from './retire.ts'
import type { Freed, RetentionError, Work } from './run.ts'

/** Objects that one append retires; and so many of their hashes, which keeps it far below a log's bound. */
const MAX_BATCH = 64
const MAX_BATCH_CHUNKS = 6000

/** Looks at every object of the store, and retires those that are not needed, batch by batch. A dry run only counts them. */
export const sortObjects = async (work: Work): Promise<E.Either<RetentionError, Freed>> => {
  const { dryRun, stopped, progress } = work.options
  let [objects, bytes] = [0, 0]
  let batch: Candidate[] = []
  const flush = async (): Promise<E.Either<RetentionError, void>> => {
    const going = dryRun ? E.right(batch) : await leave(work, batch)
    if (E.isLeft(going)) return going
    objects += going.right.length
    bytes += going.right.reduce((sum, candidate) => sum + candidate.bytes, 0)
    batch = []
    progress({ tag: 'retired', objects, bytes })
    return E.right(undefined)
  }
  for await (const stored of work.core.blobs.sweep.objects()) {
    if (stopped()) break
    const candidate = await candidateOf(work, stored)
    if (E.isLeft(candidate)) return candidate
    if (candidate.right !== undefined) batch.push(candidate.right)
    if (!isFull(batch)) continue
    const flushed = await flush()
    if (E.isLeft(flushed)) return flushed
  }
  return E.map(() => ({ objects, bytes }))(await flush())
}

const isFull = (batch: readonly Candidate[]): boolean =>
  batch.length >= MAX_BATCH || batch.reduce((sum, { chunks }) => sum + chunks.length, 0) >= MAX_BATCH_CHUNKS

/** Objects that an earlier run retired, and was cut off before it removed them, leave as they are. */
const leave = async (work: Work, batch: readonly Candidate[]): Promise<E.Either<RetentionError, readonly Candidate[]>> => {
  const { core, leaving, run } = work
  const before = batch.filter(({ object }) => core.followed.isRetired(object))
  const fresh = batch.filter(({ object }) => !core.followed.isRetired(object))
  const retired = fresh.length === 0 ? E.right([]) : await retire(core, run, fresh)
  if (E.isLeft(retired)) return retired
  const going = [...before, ...retired.right]
  for (const { object, bytes, chunks } of going) leaving.add(object, bytes, chunks)
  return E.right(going)
}

type Found = Promise<E.Either<RetentionError, Candidate | undefined>>

/** undefined: it stays. */
const candidateOf = async (work: Work, { object, bytes }: SweptObject): Found => {
  const { core, marks, weightOf, options } = work
  if ('chunk' in object) {
    const stays = !core.followed.isRetired(object) && marks.isLive(object.chunk)
    return E.right(stays ? undefined : { object, bytes, chunks: [object.chunk] })
  }
  const weight = weightOf(object.pack)
  const fate = weight === undefined || core.followed.isRetired(object) ? 'free' : fateOf({ bytes, ...weight }, options.thorough)
  if (fate === 'keep') return E.right(undefined)
  const chunks = await core.blobs.sweep.chunksOf(object.pack, bytes)()
  if (E.isLeft(chunks)) return chunks
  const candidate: Candidate = { object, bytes, chunks: chunks.right, ...(weight === undefined ? { unknown: true } : {}) }
  if (fate === 'free') return E.right(candidate)
  if (options.dryRun) return E.right({ ...candidate, bytes: Math.max(0, bytes - (weight?.liveBytes ?? 0)) })
  return repack(work, candidate, object.pack)
}

/** Gives the live chunks of a pack another place first; it stays where one of them can't be read. */
const repack = async ({ core, marks }: Work, candidate: Candidate, pack: string): Found => {
  const wanted = candidate.chunks.filter((hash) => marks.isLive(hash) && core.followed.find(hash)?.pack === pack)
  const chunks: NewChunk[] = []
  for (const hash of wanted) {
    const read = await core.blobs.get(hash)()
    if (E.isLeft(read) && (read.left.tag === 'Full' || read.left.tag === 'Unavailable')) return read
    if (E.isLeft(read)) return E.right(undefined)
    chunks.push({ hash, bytes: read.right, checked: true })
  }
  const copied = await copyChunks(core, chunks)
  return E.isLeft(copied) ? copied : E.right(candidate)
}

/** Stores chunks once more, and tells the log where. */
export const copyChunks = async (core: Work['core'], chunks: readonly NewChunk[]): Promise<E.Either<RetentionError, void>> => {
  const packs = await core.blobs.copy(chunks)()
  if (E.isLeft(packs)) return packs
  const announced = await core.chunks.announce(packs.right)
  if (E.isRight(announced)) return announced
  const { left } = announced
  return E.left(left.tag === 'NameSpent' ? { tag: 'Unavailable', reason: 'a pack was retired as it was stored: run it again' } : left)
}
