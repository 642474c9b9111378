import * as E from 'fp-ts/lib/Either.js'
import type { LeavingObject } from './leaving.ts'
import type { Hash } from '../../domain/content.ts'
import type { RetentionError, Work } from './run.ts'
import { copyChunks } from './sort.ts'

const PAGE = 64

/** Takes out of the objects that go what the log names after all. An object of which that can't be read stays where it is, for a repair. */
export const rescueFrom = async (work: Work): Promise<E.Either<RetentionError, void>> => {
  for (let after = 0; ;) {
    const page = work.leaving.needed(after, PAGE)
    if (page.length === 0) return E.right(undefined)
    for (const each of page) {
      const rescued = await rescue(work, each)
      if (E.isLeft(rescued)) return rescued
      after = each.id
    }
  }
}

const rescue = async (
  work: Work,
  leaving: LeavingObject & { readonly chunks: readonly Hash[] },
): Promise<E.Either<RetentionError, void>> => {
  const { core } = work
  // Others were stored again since, or lie elsewhere.
  const wanted = new Set(leaving.chunks.filter((hash) => core.followed.isGone(hash)))
  if (wanted.size === 0) return E.right(undefined)
  const read = await core.blobs.sweep.open(leaving.object)()
  if (E.isLeft(read)) return read
  const found = read.right.filter(({ hash }) => wanted.has(hash))
  if (found.length < wanted.size) {
    core.logger.warn('an object that retention would remove holds needed chunks that cannot be read: it stays', { object: leaving.object })
    work.leaving.drop(leaving.id)
  }
  return found.length === 0 ? E.right(undefined) : copyChunks(core, found)
}
