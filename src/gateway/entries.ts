import type { TreeEntry } from '../domain/events.ts'
import type { RemoteEntry } from '../protocol/messages.ts'

/** A file's id ends with the revision that made it (protocol/event-ids.ts). */
const REVISION_AT = 16

/** The revision of the event that made the file. */
export const createdAt = (entry: Pick<TreeEntry, 'fileId'>): number => Number.parseInt(entry.fileId.slice(REVISION_AT), 16)

/** An entry of the tree as answers tell it. */
export const toRemote = (entry: TreeEntry): RemoteEntry => ({
  path: entry.path,
  version: entry.revision,
  fileId: entry.fileId,
  content: entry.content,
  ...(entry.content !== undefined && createdAt(entry) === entry.revision ? { created: true } : {}),
})
