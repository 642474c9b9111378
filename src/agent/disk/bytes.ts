import { createChunker } from '../../domain/chunking/fastcdc.ts'
import { CHUNK_MAX, CHUNK_MIN, type Chunk } from '../../domain/content.ts'
import type { FileSystem } from '../../filesystem/port.ts'
import { sha256 } from '../../protocol/hash.ts'
import { codeOf } from './errors.ts'

/** Two of the largest chunks: what is left of one is moved to the front once for some MiB read (I16). */
const WINDOW = 2 * CHUNK_MAX
const PIECE = 512 * 1024

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

/** The chunks of the first `size` bytes of an open file, read through a window; undefined where it is shorter. */
export const chunksOfFile = (
  fs: FileSystem,
  fd: number,
  size: number,
  scratch: (size: number) => Uint8Array,
): readonly Chunk[] | undefined => {
  const window = scratch(Math.min(size, WINDOW)).subarray(0, Math.min(size, WINDOW))
  const chunker = createChunker()
  const chunks: Chunk[] = []
  let [start, end] = [0, 0]
  for (let position = 0; position < size;) {
    if (end === window.length) {
      window.copyWithin(0, start, end)
      end -= start
      start = 0
    }
    const piece = window.subarray(end, Math.min(end + PIECE, window.length, end + size - position))
    if (!readFully(fs, fd, piece, position)) return undefined
    position += piece.length
    end += piece.length
    for (const length of chunker.push(piece)) {
      chunks.push(chunkOf(window.subarray(start, start + length)))
      start += length
    }
  }
  return chunker.finish() === 0 ? chunks : [...chunks, chunkOf(window.subarray(start, end))]
}

/** The chunk of bytes that are too few for two; none of none. */
export const chunksOfBytes = (bytes: Uint8Array): readonly Chunk[] => {
  if (bytes.length > CHUNK_MIN) throw new Error('a content of several chunks is read through a window')
  return bytes.length === 0 ? [] : [chunkOf(bytes)]
}
