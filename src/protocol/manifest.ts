import * as E from 'fp-ts/lib/Either.js'
import { CHUNK_MAX, MAX_INLINE_CHUNKS, type Chunk, type Content, type Hash, type Manifest } from '../domain/content.ts'
import type { ProtocolError } from './error.ts'
import { sha256 } from './hash.ts'
import { contentHash } from './merkle.ts'

/** Bytes of one chunk in a manifest object: 32 of its hash, 4 of its size (big-endian). */
export const MANIFEST_ENTRY = 36

/** A manifest object's bytes: its chunks in order, {@link MANIFEST_ENTRY} bytes each. */
export const encodeManifest = (chunks: readonly Chunk[]): Buffer => {
  const bytes = Buffer.allocUnsafe(chunks.length * MANIFEST_ENTRY)
  chunks.forEach((chunk, i) => {
    bytes.write(chunk.hash, i * MANIFEST_ENTRY, 'hex')
    bytes.writeUInt32BE(chunk.size, i * MANIFEST_ENTRY + 32)
  })
  return bytes
}

const bad = (reason: string): E.Either<ProtocolError, never> => E.left({ tag: 'BadMessage', field: 'Manifest', reason })

/** Reads a manifest object; what it says of its content is for {@link chunksMatch} to judge. */
export const decodeManifest = (bytes: Uint8Array): E.Either<ProtocolError, Chunk[]> => {
  if (bytes.length % MANIFEST_ENTRY !== 0) return bad(`a manifest must have ${MANIFEST_ENTRY} bytes for each chunk`)
  if (bytes.length <= MAX_INLINE_CHUNKS * MANIFEST_ENTRY) return bad(`a manifest must name more than ${MAX_INLINE_CHUNKS} chunks`)
  if (bytes.length > CHUNK_MAX) return bad(`a manifest must have at most ${CHUNK_MAX} bytes`)
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const chunks: Chunk[] = []
  for (let at = 0; at < view.length; at += MANIFEST_ENTRY) {
    const size = view.readUInt32BE(at + 32)
    if (size < 1 || size > CHUNK_MAX) return bad(`a chunk must have 1 to ${CHUNK_MAX} bytes`)
    // The hex form of 32 bytes is a Hash.
    chunks.push({ hash: view.toString('hex', at, at + 32) as Hash, size })
  }
  return E.right(chunks)
}

/** How a content names its chunks: in place where they are few, otherwise by an object, which must be stored as a chunk of its own. */
export const manifestOf = (chunks: readonly Chunk[]): { readonly manifest: Manifest; readonly object: Buffer | undefined } => {
  if (chunks.length <= MAX_INLINE_CHUNKS) return { manifest: { tag: 'chunks', chunks }, object: undefined }
  const object = encodeManifest(chunks)
  return { manifest: { tag: 'object', hash: sha256(object), size: object.length }, object }
}

/** Whether these chunks are what the content says: their sizes sum to its size, and their hashes make its hash. */
export const chunksMatch = (content: Pick<Content, 'size' | 'hash'>, chunks: readonly Chunk[]): boolean =>
  chunks.reduce((sum, chunk) => sum + chunk.size, 0) === content.size && contentHash(chunks) === content.hash
