import type { FileSystem } from '../../filesystem/port.ts'
import { OWN, PROBE_ALIASES } from './own.ts'
import { codeOf, isMissing } from './errors.ts'

/** What the disk work of one folder shares between calls, in one thread. */
export interface Session {
  readonly fs: FileSystem
  /**
   * Whether names that differ are always two names here; false where this file system folds case or Unicode forms, or it can't be told
   * (I14).
   */
  readonly exactNames: () => boolean
  /** A buffer of at least `size` bytes, overwritten by its next user. */
  readonly scratch: (size: number) => Uint8Array
}

const isThere = (fs: FileSystem, path: string): boolean => {
  try {
    fs.lstat(path)
    return true
  } catch (error) {
    // Any other failure does not tell: taken for absence, it would make a file system that folds names one with exact names for good (I14).
    if (isMissing(error)) return false
    throw error
  }
}

/** Makes a directory unless it is there; whether it made one. */
export const ensureDirectory = (fs: FileSystem, path: string, mode: number): boolean => {
  try {
    fs.mkdir(path, mode)
    return true
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    return false
  }
}

/** Tries the file system with a name of EventSync's own; in a folder that is not EventSync's yet, nothing of it stays. */
const probe = (fs: FileSystem): boolean | undefined => {
  const madeOwn = ensureDirectory(fs, OWN.directory, 0o700)
  // A symlink there would lead outside (I11).
  if (fs.lstat(OWN.directory).kind !== 'directory') return undefined
  const madeProbe = ensureDirectory(fs, OWN.probe, 0o700)
  const exact = !PROBE_ALIASES.some((alias) => isThere(fs, alias))
  if (madeProbe && !isThere(fs, OWN.marker)) fs.rmdir(OWN.probe)
  if (madeOwn) fs.rmdir(OWN.directory)
  return exact
}

const tried = (fs: FileSystem): boolean | undefined => {
  try {
    return probe(fs)
  } catch (error) {
    codeOf(error)
    return undefined
  }
}

export const createSession = (fs: FileSystem): Session => {
  let exact: boolean | undefined
  let buffer = new Uint8Array()
  return {
    fs,
    exactNames: () => (exact ??= tried(fs)) ?? false,
    scratch: (size) => {
      if (buffer.length < size) buffer = new Uint8Array(size)
      return buffer
    },
  }
}
