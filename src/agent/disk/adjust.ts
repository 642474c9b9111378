import type { SyncPath } from '../../domain/path.ts'
import type { FileStat } from '../../filesystem/port.ts'
import { sha256 } from '../../protocol/hash.ts'
import { codeOf, isLinkless } from './errors.ts'
import { gravePath, OWN } from './own.ts'
import { blockedAt, CHANGED, doneWith, failedStep, statOrAbsent, taken } from './place.ts'
import type { Seen, StepResult } from './port.ts'
import { takeAway } from './remove.ts'
import { blockedOwn, setLinkTime } from './stage.ts'
import { isExecutable, modeFor, sameInode, seenOf, unchanged } from './stat.ts'
import type { Visit } from './visit.ts'

/** Sets the metadata of a file, or the time of a symlink, whose bytes are right already. */
export const touch = (visit: Visit, path: SyncPath, expect: Seen, executable: boolean, modified: string): StepResult => {
  const { fs } = visit.session
  const found = visit.find(path)
  if (found.tag === 'failed') return failedStep(found.error)
  if (found.tag !== 'found' || !unchanged(found.stat, expect)) return CHANGED
  if (found.stat.kind === 'file') {
    if (isExecutable(found.stat.mode) !== executable) fs.chmod(path, modeFor(found.stat.mode, executable))
    if (modified !== expect.mtime) fs.utimes(path, BigInt(modified))
  } else if (found.stat.kind === 'symlink') setLinkTime(fs, path, modified)
  const stat = statOrAbsent(visit, path)
  if (stat === undefined || stat.ino !== found.stat.ino || stat.size !== found.stat.size) return CHANGED
  return { tag: 'done', seen: seenOf(stat, expect.kind) }
}

/** By look and rename: for directories, and where links are not to be had. */
const renameNew = (visit: Visit, path: string, stat: FileStat, to: string): StepResult => {
  if (statOrAbsent(visit, to) !== undefined) return taken(visit, to)
  visit.session.fs.rename(path, to)
  return doneWith(visit, to, stat)
}

/**
 * The new name is made first, by link(2); then the old one is taken away into a place of its own, so that a file which replaced it
 * meanwhile is not lost with it. A crash in between leaves the content by both names.
 */
const linkAside = (visit: Visit, path: string, stat: FileStat, to: string, expect: Seen): StepResult => {
  const { fs } = visit.session
  try {
    fs.link(path, to)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return taken(visit, to)
    if (isLinkless(error)) return renameNew(visit, path, stat, to)
    throw error
  }
  const place = gravePath(`aside-${sha256(to).slice(0, 24)}`)
  const linked = fs.lstat(to)
  if (!sameInode(linked, expect) || statOrAbsent(visit, place) !== undefined || !takeAway(visit, path, expect, place)) {
    // Somebody may have put a file of their own to that name since.
    if (statOrAbsent(visit, to)?.ino === linked.ino) fs.unlink(to)
    return CHANGED
  }
  fs.unlink(place)
  return doneWith(visit, to, stat)
}

/** Gives what the plan saw another name, never over something that exists. */
export const aside = (visit: Visit, path: SyncPath, expect: Seen, to: SyncPath): StepResult => {
  const blocked = blockedAt(visit, to)
  if (blocked !== undefined) return blocked
  const found = visit.find(path)
  if (found.tag === 'failed') return failedStep(found.error)
  if (found.tag !== 'found' || !unchanged(found.stat, expect)) return CHANGED
  if (expect.kind === 'directory') return renameNew(visit, path, found.stat, to)
  const error = blockedOwn(visit, OWN.graves)
  return error === undefined ? linkAside(visit, path, found.stat, to, expect) : failedStep(error)
}
