import * as E from 'fp-ts/lib/Either.js'
import type { Chunk, Content, Hash } from '../domain/content.ts'
import { createLru } from '../lib/lru.ts'
import { decodeManifest } from '../protocol/manifest.ts'
import type { Chunks } from './chunks.ts'

/** A manifest object, read once: its chunks in order, and by hash. */
export interface OpenManifest {
  readonly chunks: readonly Chunk[]
  readonly sizes: ReadonlyMap<Hash, number>
}

/** The manifests of large contents, which lie in the store as chunks. */
export interface Manifests {
  /** Undefined where it can't be read or is no manifest. */
  load(hash: Hash): Promise<OpenManifest | undefined>
  /** From bytes at hand, whose hash was checked. */
  take(hash: Hash, bytes: Uint8Array): OpenManifest | undefined
}

/** Chunks of all manifests in memory together: some 100 bytes each. */
const MAX_CACHED_CHUNKS = 400_000

export const createManifests = (chunks: Pick<Chunks, 'read'>): Manifests => {
  const cache = createLru<Hash, OpenManifest>(MAX_CACHED_CHUNKS, ({ chunks: named }) => named.length)
  const take: Manifests['take'] = (hash, bytes) => {
    const decoded = decodeManifest(bytes)
    if (E.isLeft(decoded)) return undefined
    const manifest = { chunks: decoded.right, sizes: new Map(decoded.right.map((chunk) => [chunk.hash, chunk.size])) }
    cache.set(hash, manifest)
    return manifest
  }
  return {
    take,
    load: async (hash) => {
      const known = cache.get(hash)
      if (known !== undefined) return known
      const bytes = await chunks.read(hash)
      return E.isLeft(bytes) ? undefined : take(hash, bytes.right)
    },
  }
}

/** The size of each chunk that a content may be read by, its manifest object included; undefined: it is none of them. */
export const chunkSizesOf = async ({ manifest }: Content, manifests: Manifests): Promise<(hash: Hash) => number | undefined> => {
  if (manifest.tag === 'chunks') return (hash) => manifest.chunks.find((chunk) => chunk.hash === hash)?.size
  const named = await manifests.load(manifest.hash)
  return (hash) => (hash === manifest.hash ? manifest.size : named?.sizes.get(hash))
}
