import { CHUNK_MIN, type Chunk } from '../../domain/content.ts'
import type { FileSystem } from '../../filesystem/port.ts'
import { sha256 } from '../../protocol/hash.ts'
import { codeOf } from './errors.ts'

/** Opens, uses, closes. */
export const withFile = <A>(fs: FileSystem, path: string, flags: 'r' | 'wx' | 'r+', use: (fd: number) => A): A => {
  const fd = fs.open(path, flags)
  try {
    return use(fd)
  } finally {
    fs.close(fd)
  }
}

/** Removes what may not be there. */
export const removeFile = (fs: FileSystem, path: string): boolean => {
  try {
    fs.unlink(path)
    return true
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    return false
  }
}

/** Fills the buffer from `position`; false where the file ends before. */
export const readFully = (fs: FileSystem, fd: number, buffer: Uint8Array, position: number): boolean => {
  for (let done = 0; done < buffer.length;) {
    const count = fs.read(fd, buffer.subarray(done), position + done)
    if (count === 0) return false
    done += count
  }
  return true
}

export const chunkOf = (bytes: Uint8Array): Chunk => ({ hash: sha256(bytes), size: bytes.length })

export const holds = (bytes: Uint8Array, chunk: Chunk): boolean => bytes.length === chunk.size && sha256(bytes) === chunk.hash

/** The chunk of bytes that are too few for two; none of none. */
export const chunksOfBytes = (bytes: Uint8Array): readonly Chunk[] => {
  if (bytes.length > CHUNK_MIN) throw new Error('a content of several chunks is read through a window')
  return bytes.length === 0 ? [] : [chunkOf(bytes)]
}
