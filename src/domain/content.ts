/** 64 lower-case hex digits of a SHA-256. */
export type Hash = string & { readonly Hash: unique symbol }

const HASH_LENGTH = 64

/** 1 where a character code is that of a lower-case hex digit. */
const HEX_DIGITS = new Uint8Array(256)
for (const digit of '0123456789abcdef') HEX_DIGITS[digit.charCodeAt(0)] = 1

/** It is asked several times of every event: looking all digits up without a branch takes a third of what comparing each does, or a regular expression. */
export const isHash = (value: unknown): value is Hash => {
  if (typeof value !== 'string' || value.length !== HASH_LENGTH) return false
  let all = 1
  for (let at = 0; at < HASH_LENGTH; at += 1) all &= HEX_DIGITS[value.charCodeAt(at)] ?? 0
  return all === 1
}

export type Kind = 'file' | 'directory' | 'symlink'

/** A content-defined piece of a content: SHA-256 of its bytes, and their number. */
export interface Chunk {
  readonly hash: Hash
  readonly size: number
}

/**
 * The ordered chunks of a content: in place where they are few (at most {@link MAX_INLINE_CHUNKS}), otherwise the hash of a
 * manifest object, which is itself stored and fetched as a chunk (docs/protocol.md, "Manifests").
 */
export type Manifest =
  | { readonly tag: 'chunks'; readonly chunks: readonly Chunk[] }
  | { readonly tag: 'object'; readonly hash: Hash; readonly size: number }

export const MAX_INLINE_CHUNKS = 32

/** Chunk sizes in bytes (DESIGN.md: FastCDC with normalised chunking); a content shorter than `MIN` is one chunk. */
export const CHUNK_MIN = 256 * 1024
export const CHUNK_AVERAGE = 1024 * 1024
export const CHUNK_MAX = 4 * 1024 * 1024

/** The largest file that a manifest of one chunk can describe, with a margin. */
export const MAX_FILE_SIZE = 100 * 1024 ** 3

/**
 * What one path holds. A directory has size 0, no chunks and the hash of nothing. A symlink's content is the text of its
 * target, as one chunk. `hash` is the SHA-256 of a content of at most one chunk, and otherwise the Merkle root (RFC 6962) over its
 * chunks' SHA-256. `modified` is in nanoseconds since the epoch, as a decimal string; `executable` only speaks of files.
 */
export interface Content {
  readonly kind: Kind
  readonly size: number
  readonly hash: Hash
  readonly manifest: Manifest
  readonly executable: boolean
  readonly modified: string
}

/** SHA-256 of no bytes: the hash of empty files and of directories. */
// A constant of the right form.
export const EMPTY_HASH = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' as Hash

export const NO_CHUNKS: Manifest = { tag: 'chunks', chunks: [] }

export const directoryContent = (modified: string): Content => ({
  kind: 'directory',
  size: 0,
  hash: EMPTY_HASH,
  manifest: NO_CHUNKS,
  executable: false,
  modified,
})

/** A content without the list of its chunks. */
export type Described = Omit<Content, 'manifest'>

/** Since when a content is not whole any more, by when each chunk was let go. A list of chunks that lies in the store goes with them. */
export const releasedSince = ({ manifest }: Content, goneSince: (hash: Hash) => number | undefined): number | undefined => {
  const named = manifest.tag === 'chunks' ? manifest.chunks : [manifest]
  return named.reduce<number | undefined>((first, { hash }) => {
    const time = goneSince(hash)
    return time === undefined || (first !== undefined && first < time) ? first : time
  }, undefined)
}

/** Same bytes and kind; metadata aside (I13). */
export const sameBytes = (a: Described, b: Described): boolean => a.kind === b.kind && a.hash === b.hash && a.size === b.size

const micros = (ns: string): string => (ns.length > 3 ? ns.slice(0, -3) : '0')

/** Same metadata as far as it is kept: times to the microsecond, but no directories' (they change with their entries). */
export const sameMetadata = (a: Described, b: Described): boolean =>
  a.kind === 'directory' || ((a.kind !== 'file' || a.executable === b.executable) && micros(a.modified) === micros(b.modified))

export const sameContent = (a: Described, b: Described): boolean => sameBytes(a, b) && sameMetadata(a, b)
