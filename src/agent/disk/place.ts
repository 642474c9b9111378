import type { SyncPath } from '../../domain/path.ts'
import type { FileStat } from '../../filesystem/port.ts'
import { sha256 } from '../../protocol/hash.ts'
import { removeFile } from './bytes.ts'
import { codeOf, io, isLinkless } from './errors.ts'
import { gravePath, OWN, stagePath } from './own.ts'
import type { DiskError, Seen, Step, StepResult } from './port.ts'
import { blockedOwn, setLinkTime } from './stage.ts'
import { modeFor, isExecutable, sameInode, seenOf, unchanged } from './stat.ts'
import type { Visit } from './visit.ts'

export const CHANGED: StepResult = { tag: 'changed' }

export const failedStep = (error: DiskError): StepResult => ({ tag: 'failed', error })

export const statOrAbsent = (visit: Visit, path: string): FileStat | undefined => {
  try {
    return visit.session.fs.lstat(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/**
 * What a step that put `fresh` at a path reports. Where somebody has written to it, set its bits or replaced it since, the stat from before is
 * reported, so that the next look finds the difference: theirs must not be taken for ours.
 */
export const doneWith = (visit: Visit, path: string, fresh: FileStat): StepResult => {
  const stat = statOrAbsent(visit, path)
  const same = stat !== undefined && stat.kind === fresh.kind && stat.ino === fresh.ino
  const ours = same && stat.size === fresh.size && stat.mtimeNs === fresh.mtimeNs && isExecutable(stat.mode) === isExecutable(fresh.mode)
  const now = ours ? stat : fresh
  return now.kind === 'other' ? CHANGED : { tag: 'done', seen: seenOf(now, now.kind) }
}

/** What to say where a new name was refused as taken: by the name itself, or by one that this file system takes for it (I14). */
export const taken = (visit: Visit, path: string): StepResult => {
  if (visit.session.exactNames()) return CHANGED
  visit.forget()
  const other = visit.alias(path)
  if (other === undefined) return CHANGED
  return failedStep({ tag: 'NameClash', with: other, reason: `this file system takes the name for "${other}", which is there` })
}

/** Refuses where the path's parent is no real directory of the folder. */
export const blockedAt = (visit: Visit, path: string): StepResult | undefined => {
  const cut = path.lastIndexOf('/')
  const blocked = visit.blocked(cut < 0 ? '' : path.slice(0, cut))
  return blocked !== undefined && 'error' in blocked ? failedStep(blocked.error) : undefined
}

/**
 * Gives `from` the new name `to`, which nothing may have: by link(2), which fails where something appeared meanwhile. Where links are not
 * to be had, a look comes before the rename. False: something is there.
 */
export const moveNew = (visit: Visit, from: string, to: string): boolean => {
  const { fs } = visit.session
  try {
    fs.link(from, to)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    if (!isLinkless(error)) throw error
    if (statOrAbsent(visit, to) !== undefined) return false
    fs.rename(from, to)
    return true
  }
  fs.unlink(from)
  return true
}

const linkToGrave = (visit: Visit, path: string, expect: Seen, buried: string): 'buried' | 'linkless' | 'gone' => {
  const { fs } = visit.session
  try {
    fs.link(path, buried)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'gone'
    if (isLinkless(error)) return 'linkless'
    // A step cut short by a crash may have buried the same inode before.
    if (codeOf(error) !== 'EEXIST' || !sameInode(fs.lstat(buried), expect)) throw error
  }
  return 'buried'
}

/**
 * Links what is about to be replaced into its grave, and makes sure that it is what was expected, and still has its name: this last look is all that
 * can come before a rename. False: it is not. A file system without links keeps no grave: the old bytes must not leave the path before the new ones
 * are there (I12).
 */
export const bury = (visit: Visit, path: string, expect: Seen, grave: string): boolean => {
  const { fs } = visit.session
  const buried = gravePath(grave)
  const how = linkToGrave(visit, path, expect, buried)
  if (how === 'gone') return false
  if (how === 'linkless' || sameInode(fs.lstat(buried), expect)) {
    const last = statOrAbsent(visit, path)
    if (last !== undefined && sameInode(last, expect)) return true
  }
  if (how === 'buried') fs.unlink(buried)
  return false
}

/** Puts `staged`, whose stat is `fresh`, where the plan saw `expect`. A file keeps the permission bits of the one before it. */
const replace = (
  visit: Visit,
  staged: string,
  fresh: FileStat,
  path: string,
  at: { readonly expect: Seen; readonly grave: string },
): StepResult => {
  const { fs } = visit.session
  if (at.expect.kind === 'directory') return failedStep({ tag: 'NotEmpty', reason: 'a folder is there: it must be removed first' })
  const found = visit.find(path)
  if (found.tag === 'failed' || found.tag === 'orphan') return failedStep(found.error)
  if (found.tag !== 'found' || !unchanged(found.stat, at.expect)) return CHANGED
  const mode = modeFor(found.stat.mode, isExecutable(fresh.mode))
  if (found.stat.kind === 'file' && fresh.kind === 'file' && mode !== fresh.mode) fs.chmod(staged, mode)
  if (!bury(visit, path, at.expect, at.grave)) return CHANGED
  fs.rename(staged, path)
  return doneWith(visit, path, fresh)
}

const blockedOwnDirectories = (visit: Visit): StepResult | undefined => {
  const error = blockedOwn(visit, OWN.stages) ?? blockedOwn(visit, OWN.graves)
  return error && failedStep(error)
}

const placeNew = (visit: Visit, staged: string, fresh: FileStat, path: SyncPath): StepResult =>
  moveNew(visit, staged, path) ? doneWith(visit, path, fresh) : taken(visit, path)

/** Puts a finished staged file (or a staged link to a file or symlink) in place. */
export const place = (visit: Visit, stage: string, path: SyncPath, expect: Seen | undefined, grave: string): StepResult => {
  const blocked = blockedOwnDirectories(visit) ?? blockedAt(visit, path)
  if (blocked !== undefined) return blocked
  const staged = stagePath(stage)
  const fresh = statOrAbsent(visit, staged)
  if (fresh === undefined) return failedStep(io('the staged file is gone'))
  return expect === undefined ? placeNew(visit, staged, fresh, path) : replace(visit, staged, fresh, path, { expect, grave })
}

/** Makes a symlink: among the stages first, so that it has its time when it is seen, and the time of nothing else is set. */
export const symlink = (visit: Visit, { target, modified, path, expect, grave }: Extract<Step, { tag: 'symlink' }>): StepResult => {
  if (target === '') return failedStep({ tag: 'BadName', reason: 'a symlink needs a target' })
  const blocked = blockedOwnDirectories(visit) ?? blockedAt(visit, path)
  if (blocked !== undefined) return blocked
  const { fs } = visit.session
  const staged = stagePath(`${sha256(path).slice(0, 24)}.symlink`)
  removeFile(fs, staged)
  fs.symlink(target, staged)
  setLinkTime(fs, staged, modified)
  const fresh = fs.lstat(staged)
  const result = expect === undefined ? placeNew(visit, staged, fresh, path) : replace(visit, staged, fresh, path, { expect, grave })
  if (result.tag !== 'done') removeFile(fs, staged)
  return result
}

/** Makes a directory; one that is there by that very name is as good. */
export const mkdir = (visit: Visit, path: SyncPath): StepResult => {
  const blocked = blockedAt(visit, path)
  if (blocked !== undefined) return blocked
  try {
    visit.session.fs.mkdir(path, 0o777)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    const clash = taken(visit, path)
    if (clash.tag === 'failed') return clash
  }
  const stat = visit.session.fs.lstat(path)
  return stat.kind === 'directory' ? { tag: 'done', seen: seenOf(stat, 'directory') } : CHANGED
}
