import { EMPTY_HASH, type Chunk, type Hash } from '../domain/content.ts'
import { sha256, sha256Binary, sha256Bytes } from './hash.ts'

/** Hash of a leaf (RFC 6962, section 2.1): SHA-256 of a zero byte and the leaf's bytes. */
export const leafHash = (bytes: string | Uint8Array): Hash => (typeof bytes === 'string' ? sha256(`\0${bytes}`) : sha256(leafData(bytes)))

const leafData = (bytes: Uint8Array): Buffer => {
  const data = Buffer.allocUnsafe(bytes.length + 1)
  data[0] = 0
  data.set(bytes, 1)
  return data
}

const bytesOf = (hash: Hash): Buffer => Buffer.from(hash, 'hex')

// Hex of a digest is a Hash.
const hexOf = (bytes: Uint8Array): Hash => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex') as Hash

const node = (left: Uint8Array, right: Uint8Array): Buffer => {
  const data = Buffer.allocUnsafe(65)
  data[0] = 1
  data.set(left, 1)
  data.set(right, 33)
  return sha256Bytes(data)
}

/** The level above: pairs joined, an odd last one passed up as it is. This makes the same tree as RFC 6962's split at a power of two. */
const above = (level: readonly Buffer[]): Buffer[] => {
  const next: Buffer[] = []
  for (let i = 0; i < level.length; i += 2) {
    const left = level[i]
    const right = level[i + 1]
    if (left !== undefined) next.push(right === undefined ? left : node(left, right))
  }
  return next
}

/** All levels of the tree, the leaves first; the last has one node (or none, of no leaves). */
const levelsOf = (leaves: readonly Hash[]): Buffer[][] => {
  let level = leaves.map(bytesOf)
  const levels = [level]
  while (level.length > 1) {
    level = above(level)
    levels.push(level)
  }
  return levels
}

const rootOf = (levels: readonly (readonly Buffer[])[]): Hash => {
  const root = levels.at(-1)?.[0]
  return root === undefined ? EMPTY_HASH : hexOf(root)
}

const HASH_BYTES = 32
/** A one, and a pair of hashes: what a node is the hash of. */
const pair = Buffer.alloc(1 + 2 * HASH_BYTES, 1)

/** Merkle root (RFC 6962) over leaf hashes; of none, SHA-256 of nothing. Each level is written over the one below. */
export const merkleRoot = (leaves: readonly Hash[]): Hash => {
  if (leaves.length === 0) return EMPTY_HASH
  const level = Buffer.allocUnsafe(leaves.length * HASH_BYTES)
  leaves.forEach((leaf, at) => level.write(leaf, at * HASH_BYTES, 'hex'))
  for (let count = leaves.length; count > 1; count = Math.ceil(count / 2)) {
    for (let left = 0; left + 1 < count; left += 2) {
      level.copy(pair, 1, left * HASH_BYTES, (left + 2) * HASH_BYTES)
      level.write(sha256Binary(pair), (left / 2) * HASH_BYTES, 'latin1')
    }
    if (count % 2 === 1) level.copyWithin(((count - 1) / 2) * HASH_BYTES, (count - 1) * HASH_BYTES, count * HASH_BYTES)
  }
  return hexOf(level.subarray(0, HASH_BYTES))
}

const pathIn = (levels: readonly (readonly Buffer[])[], index: number): Hash[] => {
  const path: Hash[] = []
  let place = index
  for (const level of levels) {
    const sibling = level[place ^ 1]
    if (sibling !== undefined) path.push(hexOf(sibling))
    place >>>= 1
  }
  return path
}

/** The hashes by which a leaf's place under the root can be shown (RFC 6962, section 2.1.1), the leaf's sibling first. */
export const inclusionPath = (leaves: readonly Hash[], index: number): Hash[] => pathIn(levelsOf(leaves), index)

/** The root and every leaf's inclusion path, from one look at the tree. */
export const inclusionPaths = (leaves: readonly Hash[]): { readonly root: Hash; readonly paths: readonly Hash[][] } => {
  const levels = levelsOf(leaves)
  return { root: rootOf(levels), paths: leaves.map((_, index) => pathIn(levels, index)) }
}

/** The root that a leaf and its inclusion path make, or undefined where the path cannot belong to such a tree. */
export const rootFromPath = (leaf: Hash, index: number, size: number, path: readonly Hash[]): Hash | undefined => {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return undefined
  let hash = bytesOf(leaf)
  let used = 0
  for (let place = index, last = size - 1; last > 0; place = Math.floor(place / 2), last = Math.floor(last / 2)) {
    // The last node of a level with nothing to its right is passed up as it is.
    if (place === last && place % 2 === 0) continue
    const sibling = path[used]
    if (sibling === undefined) return undefined
    used += 1
    hash = place % 2 === 1 ? node(bytesOf(sibling), hash) : node(hash, bytesOf(sibling))
  }
  return used === path.length ? hexOf(hash) : undefined
}

/**
 * The hash of a content made of these chunks: of none, SHA-256 of nothing; of one, that chunk's own; otherwise the Merkle root whose
 * leaves' data are the chunks' hashes as 32 bytes.
 */
export const contentHash = (chunks: readonly Chunk[]): Hash => {
  const only = chunks.length === 1 ? chunks[0] : undefined
  return only === undefined ? merkleRoot(chunks.map((chunk) => leafHash(bytesOf(chunk.hash)))) : only.hash
}
