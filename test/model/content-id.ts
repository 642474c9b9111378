import { hash } from 'node:crypto'
import type { Inode } from './filesystem/inode.ts'

/** What a path holds, to be compared: `file:` or `symlink:` and the SHA-256 of the bytes or the target; a folder is a folder. */
export type ContentId = string & { readonly ContentId: unique symbol }

const known = new WeakMap<Buffer, ContentId>()

// The two forms named above are the definition of a ContentId.
export const DIRECTORY = 'directory' as ContentId
export const idOfHash = (kind: string, sha256: string): ContentId => `${kind}:${sha256}` as ContentId
export const idOfBytes = (kind: string, bytes: Uint8Array): ContentId => idOfHash(kind, hash('sha256', bytes))

/** An inode's content; its buffer is never changed in place, so that each is hashed once. */
export const idOf = (inode: Inode): ContentId => {
  if (inode.kind === 'directory') return DIRECTORY
  const before = known.get(inode.data)
  if (before !== undefined) return before
  const id = idOfBytes(inode.kind, inode.data)
  known.set(inode.data, id)
  return id
}
