import type { Hash } from '../../domain/content.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { FileStat } from '../../filesystem/port.ts'
import { diskErrorOf } from './errors.ts'
import { gravePath, OWN } from './own.ts'
import { blockedAt, doneWith, failedStep, moveNew, statOrAbsent, taken } from './place.ts'
import type { Buried, GraveState, StepResult } from './port.ts'
import { readFound } from './read.ts'
import type { Session } from './session.ts'
import { blockedOwn } from './stage.ts'
import { sameInode, seenOf } from './stat.ts'
import { createVisit } from './visit.ts'

/** Times may tick at 2 s: a write so soon before the burial and one after it can have the same mtime. */
const TICK_NS = 2_000_000_000n

/** The hash of an inode that nobody can have written to since it was buried (the burial itself set its ctime). */
const untouched = (stat: FileStat, buried: Buried | undefined): Hash | undefined =>
  buried !== undefined && sameInode(stat, buried.seen) && stat.ctimeNs - stat.mtimeNs > TICK_NS ? buried.hash : undefined

/** A grave too large to be read here and now: it is left for another worker. */
export interface LargeGrave {
  readonly tag: 'large'
}

const inspect = (session: Session, grave: string, buried: Buried | undefined, limit: number): GraveState | LargeGrave => {
  const path = gravePath(grave)
  const stat = session.fs.lstat(path)
  const hash = untouched(stat, buried)
  if (hash !== undefined && stat.kind !== 'other') return { tag: 'there', seen: seenOf(stat, stat.kind), hash }
  if (stat.kind === 'file' && stat.size > limit) return { tag: 'large' }
  const reading = readFound(session, path, stat)
  if (reading.tag === 'read') return { tag: 'there', seen: seenOf(reading.stat, reading.content.kind), hash: reading.content.hash }
  return { tag: reading.tag === 'absent' ? 'gone' : 'unstable' }
}

const tryInspect = (session: Session, grave: string, buried: Buried | undefined, limit: number): GraveState | LargeGrave => {
  try {
    return inspect(session, grave, buried, limit)
  } catch (error) {
    return { tag: diskErrorOf(error).tag === 'BadParent' ? 'gone' : 'unstable' }
  }
}

/** As {@link inspectGraves}, as far as `budget` bytes of reading go. */
export const inspectWithin = (
  session: Session,
  graves: readonly string[],
  buried: readonly (Buried | undefined)[],
  budget: number,
): readonly (GraveState | LargeGrave)[] => {
  if (blockedOwn(createVisit(session), OWN.graves) !== undefined) return graves.map(() => ({ tag: 'unstable' }))
  let left = budget
  return graves.map((grave, i) => {
    const state = tryInspect(session, grave, buried[i], left)
    if (state.tag === 'there') left -= state.seen.size
    return state
  })
}

/** Looks at what was replaced or removed; content is read again only where it may have changed. */
export const inspectGraves = (
  session: Session,
  graves: readonly string[],
  buried: readonly (Buried | undefined)[] = [],
): readonly GraveState[] =>
  inspectWithin(session, graves, buried, Infinity).map((state) => (state.tag === 'large' ? { tag: 'unstable' } : state))

/** Brings a grave's inode back under a new name of the folder. */
export const exhume = (session: Session, grave: string, path: SyncPath): StepResult => {
  const visit = createVisit(session)
  try {
    const own = blockedOwn(visit, OWN.graves)
    const blocked = own === undefined ? blockedAt(visit, path) : failedStep(own)
    if (blocked !== undefined) return blocked
    const stat = statOrAbsent(visit, gravePath(grave))
    if (stat === undefined) return failedStep({ tag: 'Io', reason: 'the grave is empty' })
    using _held = session.fs.hold?.()
    return moveNew(visit, gravePath(grave), path) ? doneWith(visit, path, stat) : taken(visit, path)
  } catch (error) {
    return failedStep(diskErrorOf(error))
  }
}
