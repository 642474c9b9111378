import type { Revision } from './change.ts'
import type { FileEvent, TreeEntry } from './events.ts'

/**
 * The fold of a folder's tree: what the event at `revision` makes of the paths that it touches, deleted ones included (a
 * tombstone keeps the file's id, and where it went). Every reader of the log folds by this function alone (I7).
 */
export const touched = (event: FileEvent, revision: Revision): readonly TreeEntry[] => {
  const { path, fileId } = event
  switch (event.type) {
    case 'FileCreated':
    case 'FileUpdated':
      return [{ path, revision, fileId, content: event.content }]
    case 'FileMoved':
      return [
        { path: event.from, revision, fileId, content: undefined, movedTo: path },
        { path, revision, fileId, content: event.content },
      ]
    case 'FileDeleted':
      return [{ path, revision, fileId, content: undefined }]
  }
}

const FILE_EVENTS: ReadonlySet<string> = new Set<FileEvent['type']>(['FileCreated', 'FileUpdated', 'FileMoved', 'FileDeleted'])

/** Events that touch paths, as against those that speak of the folder. */
export const isFileEvent = <A extends { readonly type: string }>(event: A): event is Extract<A, FileEvent> => FILE_EVENTS.has(event.type)
