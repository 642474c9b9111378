import * as E from 'fp-ts/lib/Either.js'
import type { Base, Revision } from '../change.ts'
import { sameBytes, sameContent, type Content } from '../content.ts'
import type { TreeEntry } from '../events.ts'
import type { SyncPath } from '../path.ts'
import { already, made, refuse, type Decided } from './decision.ts'
import { missingParents } from './parents.ts'
import { isLive, type LiveEntry, type TreeView, type Version } from './view.ts'

/** A path is to hold a content: `create` and `update` differ only in what they are based on. */
export const decidePut = (view: TreeView, path: SyncPath, content: Content, base: Base): Decided => {
  const present = view.get(path)
  if (base === 'any') return isLive(present) ? replace(view, present, content) : create(view, path, content)
  if (base === 'none') return isLive(present) ? putOver(view, present, content, base, undefined) : create(view, path, content)
  if (isLive(present) && present.revision === base) return replace(view, present, content)
  if (isLive(present) && sameBytes(present.content, content)) return already(present)
  return putStale(view, path, content, base, present)
}

/** The path has moved on since `base`: its file may have been moved (the edit follows it), changed, or deleted. */
const putStale = (view: TreeView, path: SyncPath, content: Content, base: Revision, present: TreeEntry | undefined): Decided => {
  const seen = versionSeen(view, path, base)
  // What is of another kind is no edit of the file: a folder made where a file was has nothing to do with where that file went.
  const moved = seen === undefined || seen.kind !== content.kind ? undefined : view.live(seen.fileId)
  if (isLive(moved) && moved.path !== path) return putOver(view, moved, content, base, seen)
  if (isLive(present)) return putOver(view, present, content, base, seen)
  // An edit that the deleter had not seen survives the deletion (I4); what the path held before is no edit.
  return view.held(path, base, content) ? known(present) : create(view, path, content)
}

const putOver = (view: TreeView, entry: LiveEntry, content: Content, base: Revision | 'none', seen: Version | undefined): Decided => {
  if (sameBytes(entry.content, content)) return already(entry)
  // Only the metadata or the path moved on: the edit was made on these bytes (I13).
  if (seen !== undefined && seen.fileId === entry.fileId && isOf(seen, entry.content)) return replace(view, entry, content)
  return view.held(entry.path, base, content) ? known(entry) : refuse('stale', 'the path has moved on from Base', entry)
}

/** Puts a content in the place of what was seen there. */
const replace = (view: TreeView, entry: LiveEntry, content: Content): Decided => {
  if (sameContent(entry.content, content)) return already(entry)
  const { path, fileId, revision } = entry
  if (entry.content.kind === 'directory' && content.kind !== 'directory' && view.hasLiveUnder(path))
    return refuse('tree', 'a folder that is not empty is in its place', entry)
  return made([{ type: 'FileUpdated', path, fileId, content, base: revision }], path)
}

const create = (view: TreeView, path: SyncPath, content: Content): Decided => {
  const parents = missingParents(view, path)
  if (E.isLeft(parents)) return parents
  const fileId = view.newFileId(view.next + parents.right.length)
  return made([...parents.right, { type: 'FileCreated', path, fileId, content }], path)
}

const known = (present: TreeEntry | undefined): Decided =>
  refuse('known', 'the content is an older version of the path, not an edit', present)

/** What the change was made on, where `base` is a version of the path at all. */
export const versionSeen = (view: TreeView, path: SyncPath, base: Revision): Version | undefined => {
  const version = view.versionAt(base)
  return version?.path === path ? version : undefined
}

export const isOf = (version: Version, content: Content): boolean => version.kind === content.kind && version.hash === content.hash
