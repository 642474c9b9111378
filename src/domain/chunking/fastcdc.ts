import { CHUNK_AVERAGE, CHUNK_MAX, CHUNK_MIN } from '../content.ts'
import { GEAR_SEED, gearTable } from './gear.ts'

/**
 * FastCDC with normalised chunking (docs/adr: chunk parameters). A chunk's first `CHUNK_MIN` bytes are skipped. From there the gear hash `h
 * = (h << 1) + gear[byte]` runs, and a chunk ends after the byte that makes its upper bits zero: 22 of them before `CHUNK_AVERAGE`, 18
 * after, and at `CHUNK_MAX` at the latest. The hash depends on the last 32 bytes alone, so cuts find each other again after an insertion.
 */
const STRICT = ~((1 << 10) - 1)
const LOOSE = ~((1 << 14) - 1)

const gear = gearTable(GEAR_SEED)

/** Takes a content's bytes in pieces of any size and tells where its chunks end. Holds two numbers, and none of the bytes (I16). */
export interface Chunker {
  /** The sizes of the chunks that end within these bytes, in order; the first may have begun in bytes pushed before. */
  push(bytes: Uint8Array): readonly number[]
  /** The size of the last chunk: what came after the last cut; 0 where nothing did. The chunker is fresh again. */
  finish(): number
}

/** Where the hash stands: `size` bytes of the present chunk are behind it. */
interface State {
  size: number
  hash: number
}

/**
 * Bytes for which the hash runs in one call. Longer runs are compiled in the middle (on-stack replacement), and V8 throws that code away at
 * their end.
 */
const STRIP = 16 * 1024

/**
 * Runs the hash over a range of a multiple of four bytes and returns one past the byte where the chunk ends, or -1. Four bytes a turn: the
 * loop's own cost shows at a GB a second. (`?? 0` speaks to the type checker alone: an index is always in range.)
 */
const scan = (bytes: Uint8Array, from: number, to: number, mask: number, state: State): number => {
  const table = gear
  let h = state.hash
  for (let i = from; i < to;) {
    if (((h = ((h << 1) + (table[bytes[i++] ?? 0] ?? 0)) | 0) & mask) === 0) return i
    if (((h = ((h << 1) + (table[bytes[i++] ?? 0] ?? 0)) | 0) & mask) === 0) return i
    if (((h = ((h << 1) + (table[bytes[i++] ?? 0] ?? 0)) | 0) & mask) === 0) return i
    if (((h = ((h << 1) + (table[bytes[i++] ?? 0] ?? 0)) | 0) & mask) === 0) return i
  }
  state.hash = h
  return -1
}

/** The same for the bytes that are left over. */
const scanRest = (bytes: Uint8Array, from: number, to: number, mask: number, state: State): number => {
  for (let i = from; i < to; i++) {
    state.hash = ((state.hash << 1) + (gear[bytes[i] ?? 0] ?? 0)) | 0
    if ((state.hash & mask) === 0) return i + 1
  }
  return -1
}

const scanRange = (bytes: Uint8Array, from: number, to: number, mask: number, state: State): number => {
  const even = to - ((to - from) % 4)
  for (let at = from; at < even; at += STRIP) {
    const cut = scan(bytes, at, Math.min(at + STRIP, even), mask, state)
    if (cut >= 0) return cut
  }
  return scanRest(bytes, even, to, mask, state)
}

/** The end of the present chunk within `bytes`, which go on with the chunk at `from`; -1 where it does not end there. */
const nextCut = (bytes: Uint8Array, from: number, state: State): number => {
  const start = from - state.size
  const until = (size: number): number => Math.max(from, Math.min(bytes.length, start + size))
  const [least, average, most] = [until(CHUNK_MIN), until(CHUNK_AVERAGE), until(CHUNK_MAX)]
  const early = scanRange(bytes, least, average, STRICT, state)
  if (early >= 0) return early
  const late = scanRange(bytes, average, most, LOOSE, state)
  if (late >= 0) return late
  return most - start === CHUNK_MAX ? most : -1
}

export const createChunker = (): Chunker => {
  const state: State = { size: 0, hash: 0 }
  const end = (size: number): number => {
    state.size = 0
    state.hash = 0
    return size
  }
  const push = (bytes: Uint8Array): readonly number[] => {
    const sizes: number[] = []
    let from = 0
    for (let cut = nextCut(bytes, from, state); cut >= 0; cut = nextCut(bytes, from, state)) {
      sizes.push(end(state.size + cut - from))
      from = cut
    }
    state.size += bytes.length - from
    return sizes
  }
  return { push, finish: () => end(state.size) }
}

/** The sizes of all chunks of a content at hand. */
export const chunkSizes = (bytes: Uint8Array): readonly number[] => {
  const chunker = createChunker()
  const sizes = chunker.push(bytes)
  const last = chunker.finish()
  return last === 0 ? sizes : [...sizes, last]
}
