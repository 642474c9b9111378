import * as E from 'fp-ts/lib/Either.js'
import type { Revision } from '../../domain/change.ts'
import type { Content } from '../../domain/content.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { FileSystem } from '../../filesystem/port.ts'
import { contentBytes, contentOf, type ContentError } from '../contents.ts'
import type { Restore } from './port.ts'

/** Why something could not be put in its place: for a person, after the path. */
export type PlaceError = string

/** What an error of the file system or of the store means to a person. */
export const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) throw error
  return 'code' in error && error.code === 'ENOSPC' ? 'the disk is full' : error.message
}

const contentReason = (error: ContentError): string => {
  if (error.tag !== 'Gone' || error.released === undefined) return `its content cannot be read: ${error.reason}`
  return `its content was released on ${new Date(error.released).toISOString()}`
}

/** The content of a version, with the chunks that it is made of. */
export const versionContent = async ({ log, folder }: Restore, version: Revision): Promise<E.Either<PlaceError, Content>> => {
  const content = await contentOf(log, folder, version)
  if (E.isLeft(content)) return E.left(content.left.reason)
  return content.right === undefined ? E.left(`version ${version} is no content`) : E.right(content.right)
}

/** Parents that are missing are made; one that is a link or a file is left, and nothing is written through it (I11). */
export const makeParents = (fs: FileSystem, path: SyncPath): E.Either<PlaceError, void> => {
  const parts = path.split('/').slice(0, -1)
  for (let depth = 1; depth <= parts.length; depth += 1) {
    const parent = parts.slice(0, depth).join('/')
    const kind = kindAt(fs, parent)
    if (kind === undefined) fs.mkdir(parent, 0o755)
    else if (kind !== 'directory') return E.left(`${parent} is in the way: it is no folder`)
  }
  return E.right(undefined)
}

export const kindAt = (fs: FileSystem, path: string) => {
  try {
    return fs.lstat(path).kind
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined
    throw error
  }
}

/** Writes a version's bytes to a new file, with its time and its executable bit, chunk by chunk (I16). What was written in vain is removed. */
export const writeFile = async (restore: Restore, to: string, version: Revision, content: Content): Promise<E.Either<PlaceError, void>> => {
  const { fs, contents, folder } = restore
  const fd = fs.open(to, 'wx')
  let whole = false
  try {
    let position = 0
    for await (const bytes of contentBytes(contents, folder, version, content)) {
      if (E.isLeft(bytes)) return E.left(contentReason(bytes.left))
      fs.write(fd, bytes.right, position)
      position += bytes.right.length
    }
    whole = true
  } catch (error) {
    return E.left(reasonOf(error))
  } finally {
    fs.close(fd)
    if (!whole) fs.unlink(to)
  }
  fs.chmod(to, content.executable ? 0o755 : 0o644)
  fs.utimes(to, BigInt(content.modified))
  return E.right(undefined)
}

/** Makes a link with its own time; its target is its content. */
export const makeLink = async (restore: Restore, to: string, version: Revision, content: Content): Promise<E.Either<PlaceError, void>> => {
  const { fs, contents, folder } = restore
  const pieces: Uint8Array[] = []
  for await (const bytes of contentBytes(contents, folder, version, content)) {
    if (E.isLeft(bytes)) return E.left(contentReason(bytes.left))
    pieces.push(bytes.right)
  }
  fs.symlink(Buffer.concat(pieces).toString(), to)
  fs.utimes(to, BigInt(content.modified))
  return E.right(undefined)
}
