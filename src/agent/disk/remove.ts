import type { SyncPath } from '../../domain/path.ts'
import { codeOf, io } from './errors.ts'
import { gravePath, OWN } from './own.ts'
import { CHANGED, failedStep, moveNew, statOrAbsent } from './place.ts'
import type { Seen, StepResult } from './port.ts'
import { blockedOwn } from './stage.ts'
import { sameInode, unchanged } from './stat.ts'
import type { Visit } from './visit.ts'

const GONE: StepResult = { tag: 'done', seen: undefined }

const removeDirectory = (visit: Visit, path: string): StepResult => {
  try {
    visit.session.fs.rmdir(path)
    return GONE
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return failedStep({ tag: 'NotEmpty', reason: 'the folder is not empty' })
    if (code === 'ENOENT' || code === 'ENOTDIR') return CHANGED
    throw error
  }
}

/**
 * Renames an inode away, into a place under `.eventsync/` that must be free, and makes sure that it is the expected one. If it is not, it
 * goes back to its name; where even that is taken by now it stays in the place, for nothing of anybody's may be lost (I3).
 */
export const takeAway = (visit: Visit, path: string, expect: Seen, place: string): boolean => {
  const { fs } = visit.session
  try {
    fs.rename(path, place)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
  if (sameInode(fs.lstat(place), expect)) return true
  moveNew(visit, place, path)
  return false
}

/** Removes what the plan saw: a file or symlink into its grave, a directory only when it is empty (nothing is ever removed recursively). */
export const remove = (visit: Visit, path: SyncPath, expect: Seen, grave: string): StepResult => {
  const found = visit.find(path)
  if (found.tag === 'failed') return failedStep(found.error)
  if (found.tag !== 'found' || !unchanged(found.stat, expect)) return CHANGED
  if (expect.kind === 'directory') return removeDirectory(visit, path)
  const error = blockedOwn(visit, OWN.graves)
  if (error !== undefined) return failedStep(error)
  // A rename would replace what is buried there, or do nothing where it is the same inode.
  if (statOrAbsent(visit, gravePath(grave)) !== undefined) return failedStep(io('the grave is taken'))
  return takeAway(visit, path, expect, gravePath(grave)) ? GONE : CHANGED
}
