import * as E from 'fp-ts/lib/Either.js'
import type { Hash } from '../domain/content.ts'
import type { PackEntry } from '../domain/events.ts'
import { sha256 } from '../protocol/hash.ts'
import type { NewChunk } from './port.ts'

/** The most bytes of one pack, and the most chunks, so that its event stays far below an append's bound. */
export const MAX_PACK_BYTES = 8 * 1024 * 1024
export const MAX_PACK_CHUNKS = 2048

const VERSION = 1
const MAGIC = 'ESPACK'
const END_MAGIC = 'ESPEND'
const HEADER = 8
const ENTRY = 40
const FOOTER = 12

/** What a pack of these chunks weighs. */
export const packSize = (chunks: number, bytes: number): number => HEADER + bytes + chunks * ENTRY + FOOTER

export interface Pack {
  /** SHA-256 of all of it. */
  readonly hash: string
  readonly bytes: Buffer
  readonly entries: readonly PackEntry[]
}

const header = (): Buffer => {
  const bytes = Buffer.alloc(HEADER)
  bytes.write(MAGIC, 'latin1')
  bytes.writeUInt16BE(VERSION, MAGIC.length)
  return bytes
}

const saltBytes = (salt: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(salt)
  return bytes
}

const tail = (entries: readonly PackEntry[]): Buffer => {
  const bytes = Buffer.alloc(entries.length * ENTRY + FOOTER)
  entries.forEach(({ hash, offset, size }, index) => {
    bytes.write(hash, index * ENTRY, 'hex')
    bytes.writeUInt32BE(offset, index * ENTRY + 32)
    bytes.writeUInt32BE(size, index * ENTRY + 36)
  })
  const footer = entries.length * ENTRY
  bytes.writeUInt32BE(entries.length, footer)
  bytes.writeUInt16BE(VERSION, footer + 4)
  bytes.write(END_MAGIC, footer + 6, 'latin1')
  return bytes
}

/**
 * One object of many chunks: magic and version; the chunks' bytes; for each its hash (32 bytes), offset and size (u32 each, big-endian);
 * their number (u32), the version again (u16) and the end's magic. So it can be read without the log, from its end. A salt other than 0 stands (u32) before
 * the chunks: the same chunks make a pack of another name then.
 */
export const encodePack = (chunks: readonly NewChunk[], salt = 0): Pack => {
  const start = salt === 0 ? Buffer.alloc(0) : saltBytes(salt)
  let offset = HEADER + start.length
  const entries = chunks.map(({ hash, bytes }): PackEntry => {
    const entry = { hash, offset, size: bytes.length }
    offset += bytes.length
    return entry
  })
  const pack = Buffer.concat([header(), start, ...chunks.map(({ bytes }) => bytes), tail(entries)])
  return { hash: sha256(pack), bytes: pack, entries }
}

/** So many bytes at a pack's end hold its whole index. */
export const MAX_INDEX_BYTES = MAX_PACK_CHUNKS * ENTRY + FOOTER

/** Where the index of a pack starts, and how many entries it has, from bytes that end as the pack does; or why it can't be told. */
const indexOf = (bytes: Buffer): E.Either<string, { readonly start: number; readonly count: number }> => {
  const footer = bytes.length - FOOTER
  if (footer < 0 || bytes.toString('latin1', footer + 6) !== END_MAGIC) return E.left('it does not end as a pack does')
  const version = bytes.readUInt16BE(footer + 4)
  if (version !== VERSION) return E.left(`it has format ${version}; this version of EventSync reads ${VERSION}`)
  const count = bytes.readUInt32BE(footer)
  const start = footer - count * ENTRY
  return start < 0 ? E.left('its index is longer than the pack') : E.right({ start, count })
}

// 32 bytes in hex have a hash's form.
const hashAt = (bytes: Buffer, start: number): Hash => bytes.toString('hex', start, start + 32) as Hash

/** The chunks that a pack names, from its last bytes alone. */
export const hashesInTail = (tail: Buffer): E.Either<string, readonly Hash[]> =>
  E.map(({ start, count }: { readonly start: number; readonly count: number }) =>
    Array.from({ length: count }, (_, at) => hashAt(tail, start + at * ENTRY)),
  )(indexOf(tail))

/** The entries of a pack, in bounds but not yet checked against their hashes; or why there are none. */
export const decodePack = (bytes: Buffer): E.Either<string, readonly PackEntry[]> => {
  if (bytes.length < HEADER + FOOTER) return E.left('it does not end as a pack does')
  const index = indexOf(bytes)
  if (E.isLeft(index)) return index
  const { start, count } = index.right
  if (start < HEADER) return E.left('its index is longer than the pack')
  const entries = Array.from({ length: count }, (_, at): PackEntry => {
    const entry = start + at * ENTRY
    return { hash: hashAt(bytes, entry), offset: bytes.readUInt32BE(entry + 32), size: bytes.readUInt32BE(entry + 36) }
  })
  return E.right(entries.filter(({ offset, size }) => offset >= HEADER && offset + size <= start))
}
