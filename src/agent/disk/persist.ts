import type { SyncPath } from '../../domain/path.ts'
import type { FileStat, FileSystem } from '../../filesystem/port.ts'
import { withFile } from './bytes.ts'
import { codeOf, diskErrorOf, isMissing } from './errors.ts'
import { stagePath } from './own.ts'
import type { DiskError } from './port.ts'
import type { Session } from './session.ts'
import { createVisit } from './visit.ts'

/** Up to so many calls of fsync are cheaper than one `sync -f` (8 ms, and it waits for what others have written, too). */
const FEW = 12

const fsyncFile = (fs: FileSystem, path: string): void => withFile(fs, path, 'r', (fd) => fs.fsync(fd))

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))

const statOf = (fs: FileSystem, path: string): FileStat | undefined => {
  try {
    return fs.lstat(path)
  } catch (error) {
    if (isMissing(error) || codeOf(error) === 'ELOOP') return undefined
    throw error
  }
}

/**
 * Makes what is at a path durable, and adds the directory that holds its name (or, where it is gone, the first that is still there). False: something is
 * mounted on a folder, and what lies under that is reached by `syncAll` alone.
 */
const persistOne = (fs: FileSystem, path: string, device: bigint, directories: Set<string>): boolean => {
  const stat = statOf(fs, path)
  if (stat !== undefined && stat.dev !== device) return false
  if (stat?.kind === 'file') fsyncFile(fs, path)
  if (stat?.kind === 'directory') directories.add(path)
  if (stat !== undefined || path === '') {
    directories.add(parentOf(path))
    return true
  }
  return persistNameOf(fs, parentOf(path), device, directories)
}

/** A name is gone from a directory, or with it. */
const persistNameOf = (fs: FileSystem, directory: string, device: bigint, directories: Set<string>): boolean => {
  const stat = statOf(fs, directory)
  if (stat !== undefined && stat.dev !== device) return false
  if (stat?.kind !== 'directory' && directory !== '') return persistOne(fs, directory, device, directories)
  directories.add(directory)
  return true
}

const one = (fs: FileSystem, paths: readonly string[]): boolean => {
  if (paths.length === 0) return true
  const directories = new Set<string>()
  const { dev } = fs.lstat('')
  if (!paths.every((path) => persistOne(fs, path, dev, directories))) return false
  for (const directory of directories) fs.fsyncDirectory(directory)
  return true
}

/** Whether `each` did it. A write that failed is told of once, so that is thrown: syncing again would find nothing wrong (I17). */
const done = (each: () => boolean): boolean => {
  try {
    return each()
  } catch (error) {
    if (['EIO', 'ENOSPC', 'EDQUOT'].includes(codeOf(error))) throw error
    return false
  }
}

/**
 * Runs `each` for a few; many, and what an fsync of its own can't reach (no permission to open it, a directory that went away), `syncAll`
 * does.
 */
const durably = (fs: FileSystem, few: boolean, each: () => boolean): DiskError | undefined => {
  try {
    if (!few || !done(each)) fs.syncAll()
    return undefined
  } catch (error) {
    return diskErrorOf(error)
  }
}

/** In a folder that has lost its marker (another disk is mounted there) a sync reaches nothing of what is to be durable. */
const inFolder = (session: Session, paths: readonly SyncPath[], sync: () => DiskError | undefined): DiskError | undefined => {
  if (paths.length === 0) return sync()
  const visit = createVisit(session)
  return visit.lost() ?? sync() ?? visit.lost()
}

/** Makes the contents of staged files durable; and, with one `sync -f` for both where they are many, what is at these paths. */
export const persistStages = (session: Session, stages: readonly string[], paths: readonly SyncPath[] = []): DiskError | undefined => {
  const { fs } = session
  const count = stages.length + paths.length
  if (count === 0) return undefined
  return inFolder(session, paths, () =>
    durably(fs, count <= FEW, () => {
      for (const stage of stages) fsyncFile(fs, stagePath(stage))
      return one(fs, paths)
    }),
  )
}

/** Makes contents and names durable: what is at these paths, and that what was there before is not. */
export const persist = (session: Session, paths: readonly SyncPath[]): DiskError | undefined =>
  inFolder(session, paths, () => (paths.length === 0 ? undefined : durably(session.fs, paths.length <= FEW, () => one(session.fs, paths))))
