import type { Revision } from '../../src/domain/change.ts'
import { directoryContent, EMPTY_HASH, type Content, type Hash } from '../../src/domain/content.ts'
import { isLive, type TreeView } from '../../src/domain/decide/view.ts'
import type { FileId, FolderEvent, TreeEntry } from '../../src/domain/events.ts'
import { isUnder, type SyncPath } from '../../src/domain/path.ts'
import { isFileEvent, touched } from '../../src/domain/tree.ts'

/** A folder's tree and history in memory, folded from its events: given/when/then tests decide over it. */
export const memoryTree = (events: readonly FolderEvent[]): TreeView & { readonly entries: ReadonlyMap<SyncPath, TreeEntry> } => {
  const entries = new Map<SyncPath, TreeEntry>()
  const versions = new Map<Revision, TreeEntry>()
  events.forEach((event, revision) => {
    if (!isFileEvent(event)) return
    for (const entry of touched(event, revision)) {
      entries.set(entry.path, entry)
      if (isLive(entry)) versions.set(revision, entry)
    }
  })
  return {
    entries,
    next: events.length,
    get: (path) => entries.get(path),
    live: (fileId) => [...entries.values()].find((entry) => isLive(entry) && entry.fileId === fileId),
    hasLiveUnder: (path, gone = () => false) =>
      [...entries.values()].some((entry) => isLive(entry) && isUnder(entry.path, path) && !gone(entry.path)),
    versionAt: (revision) => {
      const entry = versions.get(revision)
      return isLive(entry) ? { path: entry.path, fileId: entry.fileId, kind: entry.content.kind, hash: entry.content.hash } : undefined
    },
    held: (path, since, content) =>
      [...versions].some(
        ([revision, entry]) =>
          entry.path === path &&
          (since === 'none' || revision >= since) &&
          entry.content?.kind === content.kind &&
          entry.content.hash === content.hash,
      ),
    newFileId: fileId,
  }
}

/** The id that {@link memoryTree} gives a file made at a revision. */
// 32 hex digits.
export const fileId = (revision: Revision): FileId => revision.toString(16).padStart(32, '0') as FileId

// Tests write valid paths.
export const path = (text: string): SyncPath => text as SyncPath

/** A file whose hash stands for its text; a different `modified` is different metadata. */
export const file = (text: string, modified = '1000000', executable = false): Content => {
  // 64 hex digits.
  const hash = (text === '' ? EMPTY_HASH : Buffer.from(text.padEnd(32, '.').slice(0, 32)).toString('hex')) as Hash
  return {
    kind: 'file',
    size: text.length,
    hash,
    manifest: { tag: 'chunks', chunks: text === '' ? [] : [{ hash, size: text.length }] },
    executable,
    modified,
  }
}

export const link = (target: string): Content => ({ ...file(target), kind: 'symlink' })

export const directory: Content = directoryContent('0')

export const created = (at: string, revision: Revision, content: Content = file(at)): FolderEvent => ({
  type: 'FileCreated',
  path: path(at),
  fileId: fileId(revision),
  content,
})
