import * as E from 'fp-ts/lib/Either.js'
import type { Chunk } from '../../domain/content.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { FileSystem } from '../../filesystem/port.ts'
import type { HistoryEntry } from '../../projections/history/port.ts'
import { sha256 } from '../../protocol/hash.ts'
import { chunksOf } from '../contents.ts'
import { kindAt, versionContent, type PlaceError } from './place.ts'
import type { Restore } from './port.ts'

/** Whether a path on disk holds this version, byte for byte; of a folder, whether there is one. */
export const holds = async (
  restore: Restore,
  path: SyncPath,
  { revision, content }: HistoryEntry,
): Promise<E.Either<PlaceError, boolean>> => {
  const { fs, contents, folder } = restore
  if (kindAt(fs, path) !== content.kind) return E.right(false)
  if (content.kind === 'directory') return E.right(true)
  if (content.kind === 'symlink') return E.right(sha256(fs.readlink(path)) === content.hash)
  if (fs.lstat(path).size !== content.size) return E.right(false)
  const whole = await versionContent(restore, revision)
  if (E.isLeft(whole)) return whole
  const chunks = await chunksOf(contents, folder, revision, whole.right)
  // Where its chunks can't be told any more, neither can what is there: it is left alone.
  return E.isLeft(chunks) ? E.right(false) : E.right(isMadeOf(fs, path, chunks.right))
}

const isMadeOf = (fs: FileSystem, path: SyncPath, chunks: readonly Chunk[]): boolean => {
  const fd = fs.open(path, 'r')
  try {
    let position = 0
    for (const { hash, size } of chunks) {
      const bytes = readAt(fs, fd, position, size)
      if (bytes === undefined || sha256(bytes) !== hash) return false
      position += size
    }
    return true
  } finally {
    fs.close(fd)
  }
}

const readAt = (fs: FileSystem, fd: number, position: number, size: number): Uint8Array | undefined => {
  const bytes = new Uint8Array(size)
  for (let read = 0; read < size;) {
    const more = fs.read(fd, bytes.subarray(read), position + read)
    if (more === 0) return undefined
    read += more
  }
  return bytes
}
