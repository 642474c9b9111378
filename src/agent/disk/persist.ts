import type { SyncPath } from '../../domain/path.ts'
import type { FileSystem } from '../../filesystem/port.ts'
import { withFile } from './bytes.ts'
import { codeOf, diskErrorOf, isMissing } from './errors.ts'
import { stagePath } from './own.ts'
import type { DiskError } from './port.ts'
import type { Session } from './session.ts'

/** Up to so many calls of fsync are cheaper than one `sync -f` (8 ms, and it waits for what others have written, too). */
const FEW = 12

const fsyncFile = (fs: FileSystem, path: string): void => withFile(fs, path, 'r', (fd) => fs.fsync(fd))

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))

/** Makes what is at a path durable, and adds the directory that holds its name (or, where it is gone, the first that is still there). */
const persistOne = (fs: FileSystem, path: string, directories: Set<string>): void => {
  let there = false
  try {
    const { kind } = fs.lstat(path)
    there = true
    if (kind === 'file') fsyncFile(fs, path)
    if (kind === 'directory') directories.add(path)
  } catch (error) {
    if (!isMissing(error) && codeOf(error) !== 'ELOOP') throw error
  }
  const parent = parentOf(path)
  if (there || parent === '' || isDirectory(fs, parent)) directories.add(parent)
  else persistOne(fs, parent, directories)
}

const isDirectory = (fs: FileSystem, path: string): boolean => {
  try {
    return fs.lstat(path).kind === 'directory'
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

const one = (fs: FileSystem, paths: readonly string[]): void => {
  const directories = new Set<string>()
  for (const path of paths) persistOne(fs, path, directories)
  for (const directory of directories) fs.fsyncDirectory(directory)
}

/** Whether `each` did it. A write that failed is told of once, so that is thrown: syncing again would find nothing wrong (I17). */
const done = (each: () => void): boolean => {
  try {
    each()
    return true
  } catch (error) {
    if (['EIO', 'ENOSPC', 'EDQUOT'].includes(codeOf(error))) throw error
    return false
  }
}

/**
 * Runs `each` for a few; many, and what an fsync of its own can't reach (no permission to open it, a directory that went away), `syncAll`
 * does.
 */
const durably = (fs: FileSystem, few: boolean, each: () => void): DiskError | undefined => {
  try {
    if (!few || !done(each)) fs.syncAll()
    return undefined
  } catch (error) {
    return diskErrorOf(error)
  }
}

/** Makes the contents of staged files durable; and, with one `sync -f` for both where they are many, what is at these paths. */
export const persistStages = ({ fs }: Session, stages: readonly string[], paths: readonly SyncPath[] = []): DiskError | undefined => {
  const count = stages.length + paths.length
  if (count === 0) return undefined
  return durably(fs, count <= FEW, () => {
    for (const stage of stages) fsyncFile(fs, stagePath(stage))
    one(fs, paths)
  })
}

/** Makes contents and names durable: what is at these paths, and that what was there before is not. */
export const persist = ({ fs }: Session, paths: readonly SyncPath[]): DiskError | undefined =>
  paths.length === 0 ? undefined : durably(fs, paths.length <= FEW, () => one(fs, paths))
