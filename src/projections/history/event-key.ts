import type { Revision } from '../../domain/change.ts'
import type { FileId, FolderId } from '../../domain/events.ts'
import { fileIdOf } from '../../protocol/event-ids.ts'

/** A folder's events lie together, in their order: its number is above the revision's 32 bits. */
const SPAN = 2 ** 32

export const eventKey = (folder: number, revision: Revision): number => {
  if (revision < SPAN) return folder * SPAN + revision
  throw new Error(`the history index holds ${SPAN} events of a folder`)
}

export const revisionOf = (key: number): Revision => key % SPAN

/** The greatest key of a folder's events up to a revision; below all of them where there are none. */
export const lastKey = (folder: number, revision: Revision): number => folder * SPAN + Math.min(Math.max(revision, -1), SPAN - 1)

const PREFIX = 16

/** How the file ids of a folder are kept: the id is the key of the event that made the file, as 32 digits (`fileIdOf`). */
export interface FileKeys {
  /** Another id than those that a gateway makes is kept as it is. */
  readonly keyOf: (fileId: FileId) => number | string
  readonly idOf: (key: unknown) => FileId
}

export const fileKeys = (folder: FolderId, number: number): FileKeys => {
  const own = fileIdOf(folder, 0).slice(0, PREFIX)
  return {
    keyOf: (fileId) => {
      const revision = fileId.startsWith(own) ? Number.parseInt(fileId.slice(PREFIX), 16) : SPAN
      return revision < SPAN ? eventKey(number, revision) : fileId
    },
    // What `keyOf` has made of a FileId.
    idOf: (key) => (typeof key === 'number' ? own + revisionOf(key).toString(16).padStart(PREFIX, '0') : String(key)) as FileId,
  }
}
