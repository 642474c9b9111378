import { type Chunk, type Content, EMPTY_HASH, type Hash, type Kind, type Manifest, NO_CHUNKS } from '../../domain/content.ts'
import type { BaseState, RemoteState } from '../../domain/plan/trees.ts'
import type { Seen } from '../disk/port.ts'
import type { LocalNode } from './node.ts'

const KINDS: readonly Kind[] = ['file', 'directory', 'symlink']

type PackedManifest = 0 | 1 | { readonly c: readonly (readonly [Hash, number])[] } | { readonly o: Hash; readonly s: number }
type PackedContent = readonly [number, number, Hash | 0, 0 | 1, string, PackedManifest]
type PackedSeen = readonly [number, number, string, string, string, 0 | 1]

const packManifest = (content: Content): PackedManifest => {
  const { manifest } = content
  if (manifest.tag === 'object') return { o: manifest.hash, s: manifest.size }
  const [first, ...others] = manifest.chunks
  if (first === undefined) return 0
  return others.length === 0 && first.hash === content.hash
    ? 1
    : { c: manifest.chunks.map((chunk): [Hash, number] => [chunk.hash, chunk.size]) }
}

const unpackManifest = (packed: PackedManifest, hash: Hash, size: number): Manifest => {
  if (packed === 0) return NO_CHUNKS
  if (packed === 1) return { tag: 'chunks', chunks: [{ hash, size }] }
  if ('o' in packed) return { tag: 'object', hash: packed.o, size: packed.s }
  return { tag: 'chunks', chunks: packed.c.map(([chunk, bytes]): Chunk => ({ hash: chunk, size: bytes })) }
}

const packContent = (content: Content): PackedContent => [
  KINDS.indexOf(content.kind),
  content.size,
  content.hash === EMPTY_HASH ? 0 : content.hash,
  content.executable ? 1 : 0,
  content.modified,
  packManifest(content),
]

const unpackContent = ([kind, size, packedHash, executable, modified, manifest]: PackedContent): Content => {
  const hash = packedHash === 0 ? EMPTY_HASH : packedHash
  return { kind: KINDS[kind] ?? 'file', size, hash, manifest: unpackManifest(manifest, hash, size), executable: executable === 1, modified }
}

const packSeen = (seen: Seen): PackedSeen => [
  KINDS.indexOf(seen.kind),
  seen.size,
  seen.mtime,
  seen.ctime,
  seen.inode,
  seen.executable ? 1 : 0,
]

const unpackSeen = ([kind, size, mtime, ctime, inode, executable]: PackedSeen): Seen => ({
  kind: KINDS[kind] ?? 'file',
  size,
  mtime,
  ctime,
  inode,
  executable: executable === 1,
})

// Each text was written by the function beside its reader, so parsing gives the packed form back.

export const encodeSeen = (seen: Seen): string => JSON.stringify(packSeen(seen))
export const decodeSeen = (text: string): Seen => unpackSeen(JSON.parse(text) as PackedSeen)
export const encodeContent = (content: Content): string => JSON.stringify(packContent(content))
export const decodeContent = (text: string): Content => unpackContent(JSON.parse(text) as PackedContent)

type PackedVersion = readonly [number, PackedContent]
type PackedRemote = PackedVersion | readonly [number, null] | readonly [number, null, PackedVersion]

const packVersion = ({ revision, content }: BaseState): PackedVersion => [revision, packContent(content)]
const unpackVersion = ([revision, content]: PackedVersion): BaseState => ({ revision, content: unpackContent(content) })

const packRemote = ({ revision, content, before }: RemoteState): PackedRemote => {
  if (content !== undefined) return packVersion({ revision, content })
  return before === undefined ? [revision, null] : [revision, null, packVersion(before)]
}

export const encodeRemote = (version: RemoteState): string => JSON.stringify(packRemote(version))

export const decodeRemote = (text: string): RemoteState => {
  const [revision, content, before] = JSON.parse(text) as PackedRemote
  if (content !== null) return { revision, content: unpackContent(content) }
  return { revision, content: undefined, ...(before === undefined ? {} : { before: unpackVersion(before) }) }
}

export const encodeBase = (version: BaseState): string => JSON.stringify(packVersion(version))
export const decodeBase = (text: string): BaseState => unpackVersion(JSON.parse(text) as PackedVersion)

/** A local state as the index stores it. */
export type StoredLocal = string & { readonly StoredLocal: unique symbol }

export const encodeLocal = (local: LocalNode): StoredLocal =>
  // The one place that makes them.
  JSON.stringify([packSeen(local.seen), packContent(local.content), local.settled ? 1 : 0, local.refused ?? null]) as StoredLocal

/** Whether a stored local state is settled, and was seen just like this. One that the log refused is decoded, and counts as news here. */
export const isStillAs = (stored: StoredLocal, seen: Seen): boolean =>
  stored.endsWith(',1,null]') && stored.startsWith(`[${encodeSeen(seen)},`)

export const decodeLocal = (text: string): LocalNode => {
  const [seen, content, settled, refused] = JSON.parse(text) as [PackedSeen, PackedContent, 0 | 1, number | null]
  return { seen: unpackSeen(seen), content: unpackContent(content), settled: settled === 1, ...(refused === null ? {} : { refused }) }
}
