import type { FileSystem } from '../../filesystem/port.ts'
import { codeOf, diskErrorOf, isMissing } from './errors.ts'
import { OWN } from './own.ts'
import type { DiskError, RootState } from './port.ts'
import { ensureDirectory, type Session } from './session.ts'

const MARKER_LIMIT = 4096

const isDirectory = (fs: FileSystem, path: string): boolean => fs.lstat(path).kind === 'directory'

const readMarker = (fs: FileSystem): string | undefined => {
  try {
    if (!isDirectory(fs, OWN.directory)) return undefined
    const fd = fs.open(OWN.marker, 'r')
    try {
      const buffer = new Uint8Array(MARKER_LIMIT)
      return new TextDecoder().decode(buffer.subarray(0, fs.read(fd, buffer, 0)))
    } finally {
      fs.close(fd)
    }
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

const BESIDE_MARKER = [OWN.stages, OWN.graves, OWN.probe]

/** What should be beside the marker may be gone (a power cut in the middle of its removal); where it can't be made, what needs it will say so. */
const complete = (fs: FileSystem): void => {
  for (const directory of BESIDE_MARKER) {
    try {
      ensureDirectory(fs, directory, 0o700)
    } catch (error) {
      codeOf(error)
    }
  }
}

/** Whether the folder is there, is the one that was marked, and how it takes names. */
export const rootState = (session: Session): RootState => {
  const { fs } = session
  try {
    if (!isDirectory(fs, '')) return { tag: 'missing', reason: 'it is not a folder' }
    const marker = readMarker(fs)
    if (marker !== undefined) {
      complete(fs)
      return { tag: 'ok', marker, exactNames: session.exactNames() }
    }
    const empty = fs.readdir('').every(({ name }) => name === OWN.directory)
    return { tag: 'unmarked', empty, exactNames: session.exactNames() }
  } catch (error) {
    return { tag: 'missing', reason: isMissing(error) ? 'it is not there' : diskErrorOf(error).reason }
  }
}

const removeIfThere = (fs: FileSystem, path: string): void => {
  try {
    fs.unlink(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

const writeMarker = (fs: FileSystem, marker: string): void => {
  removeIfThere(fs, OWN.newMarker)
  const fd = fs.open(OWN.newMarker, 'wx')
  try {
    fs.write(fd, new TextEncoder().encode(marker), 0)
    fs.fsync(fd)
  } finally {
    fs.close(fd)
  }
  fs.rename(OWN.newMarker, OWN.marker)
}

/** Marks the folder as this agent's, durably: `.eventsync/` with all that the other tasks need in it. */
export const mark = (session: Session, marker: string): DiskError | undefined => {
  const { fs } = session
  try {
    ensureDirectory(fs, OWN.directory, 0o700)
    // A symlink there would lead outside (I11).
    if (!isDirectory(fs, OWN.directory)) return { tag: 'BadParent', reason: `"${OWN.directory}" is not a folder` }
    for (const directory of BESIDE_MARKER) ensureDirectory(fs, directory, 0o700)
    writeMarker(fs, marker)
    fs.fsyncDirectory(OWN.directory)
    fs.fsyncDirectory('')
    return undefined
  } catch (error) {
    return diskErrorOf(error)
  }
}
