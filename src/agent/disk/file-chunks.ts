import { createChunker, type Chunker } from '../../domain/chunking/fastcdc.ts'
import { CHUNK_MAX, CHUNK_MIN, type Chunk, type Hash } from '../../domain/content.ts'
import type { FileSystem } from '../../filesystem/port.ts'
import { sha256 } from '../../protocol/hash.ts'
import { readFully } from './bytes.ts'

/** Two of the largest chunks: what is left of one is moved to the front once for some MiB read (I16). */
const WINDOW = 2 * CHUNK_MAX
const PIECE = 512 * 1024
/** Too little to hold two cuts. */
const SLICE = CHUNK_MIN

/** Where a file's bytes pass through, window by window, while its chunks are found. */
export interface Windows {
  /** The memory to go on in: the same again, or another. What it held before is nobody's any more. */
  next(): Uint8Array
  /** A chunk was found: its place in the window that `next` gave last. */
  found(chunk: Chunk, start: number): void
}

/** One window, used again and again. */
export const oneWindow = (size: number, scratch: (size: number) => Uint8Array): Windows => {
  const length = Math.min(size, WINDOW)
  const window = scratch(length).subarray(0, length)
  return { next: () => window, found: () => undefined }
}

/** An open file's bytes from the present chunk's start on. */
class FileBytes {
  readonly #fs: FileSystem
  readonly #fd: number
  readonly #windows: Windows
  #window: Uint8Array
  #start = 0
  #end = 0
  /** Of the file, what has not been read yet. */
  #unread: number
  #position = 0

  constructor(fs: FileSystem, fd: number, size: number, windows: Windows) {
    this.#fs = fs
    this.#fd = fd
    this.#windows = windows
    this.#window = windows.next()
    this.#unread = size
  }

  /** Bytes that are at hand. */
  get ready(): number {
    return this.#end - this.#start
  }

  /** Bytes up to the file's end. */
  get left(): number {
    return this.ready + this.#unread
  }

  /** Reads on until so many are at hand, or all; false where the file is shorter than it was. */
  reach(length: number): boolean {
    while (this.ready < length && this.#unread > 0) if (!this.#readMore()) return false
    return true
  }

  view(from: number, to: number): Uint8Array {
    return this.#window.subarray(this.#start + from, this.#start + to)
  }

  /** The chunk ends here: what follows is the next one's. */
  end(chunk: Chunk): Chunk {
    this.#windows.found(chunk, this.#start)
    this.#start += chunk.size
    return chunk
  }

  #readMore(): boolean {
    if (this.#end === this.#window.length) this.#moveOn()
    const piece = this.#window.subarray(this.#end, Math.min(this.#end + PIECE, this.#window.length, this.#end + this.#unread))
    if (!readFully(this.#fs, this.#fd, piece, this.#position)) return false
    this.#position += piece.length
    this.#end += piece.length
    this.#unread -= piece.length
    return true
  }

  #moveOn(): void {
    const next = this.#windows.next()
    if (next === this.#window) next.copyWithin(0, this.#start, this.#end)
    else next.set(this.view(0, this.ready))
    this.#window = next
    this.#end -= this.#start
    this.#start = 0
  }
}

interface Guess {
  readonly chunk: Chunk
  /** It ended with the content, not at a cut: so must it here. */
  readonly last: boolean
}

/** What came after each chunk in a content that this one may be like. */
const followers = (like: readonly Chunk[]): ReadonlyMap<Hash | undefined, Guess> =>
  new Map(like.map((chunk, at) => [like[at - 1]?.hash, { chunk, last: at === like.length - 1 }]))

const guessed = (bytes: FileBytes, guess: Guess | undefined): Chunk | undefined => {
  if (guess === undefined) return undefined
  const { chunk, last } = guess
  if (chunk.size > bytes.left || (last && chunk.size < bytes.left) || !bytes.reach(chunk.size)) return undefined
  return sha256(bytes.view(0, chunk.size)) === chunk.hash ? bytes.end(chunk) : undefined
}

const cutNext = (bytes: FileBytes, chunker: Chunker): Chunk | undefined => {
  const take = (size: number): Chunk => bytes.end({ hash: sha256(bytes.view(0, size)), size })
  for (let scanned = 0; ;) {
    if (!bytes.reach(scanned + SLICE)) return undefined
    const slice = bytes.view(scanned, Math.min(scanned + SLICE, bytes.ready))
    if (slice.length === 0) return take(chunker.finish())
    const [size] = chunker.push(slice)
    if (size !== undefined) {
      chunker.finish()
      return take(size)
    }
    scanned += slice.length
  }
}

/**
 * The chunks of the first `size` bytes of an open file, read through windows of at least two of the largest chunks, or of `size` bytes; undefined where it
 * is shorter. `like`: the chunks of a content that this may be, or be much like. Where they are found to follow each other here, too, each by its hash, no
 * cuts are looked for, which takes longer than hashing.
 */
export const chunksOfFile = (
  fs: FileSystem,
  fd: number,
  size: number,
  windows: Windows,
  like: readonly Chunk[] = [],
): readonly Chunk[] | undefined => {
  const bytes = new FileBytes(fs, fd, size, windows)
  const following = followers(like)
  const chunker = createChunker()
  const chunks: Chunk[] = []
  while (bytes.left > 0) {
    const chunk = guessed(bytes, following.get(chunks.at(-1)?.hash)) ?? cutNext(bytes, chunker)
    if (chunk === undefined) return undefined
    chunks.push(chunk)
  }
  return chunks
}
