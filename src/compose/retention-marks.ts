import type { DatabaseSync } from 'node:sqlite'
import * as E from 'fp-ts/lib/Either.js'
import { markFromLog, type Marked, type MarkError, type MarkSource } from '../gateway/retention/mark.ts'
import { openMarks } from '../gateway/retention/marks.ts'
import type { RetentionPolicy } from '../gateway/retention/policy.ts'
import { weighPacks } from '../gateway/retention/weigh.ts'
import { packedChunks, packNames } from '../projections/follow/packed.ts'

/** Marks the log into an empty database, and weighs the packs that the projections know. */
export const markInto = async (
  db: DatabaseSync,
  source: MarkSource,
  projections: DatabaseSync,
  policy: RetentionPolicy,
  cutoff: number,
): Promise<E.Either<MarkError, Marked>> => {
  const marks = openMarks(db, policy, cutoff)
  const marked = await markFromLog(source, marks, policy)
  if (E.isRight(marked)) weighPacks(db, packNames(projections), packedChunks(projections))
  return marked
}
