import * as E from 'fp-ts/lib/Either.js'
import { directoryContent } from '../content.ts'
import type { FileEvent, TreeEntry } from '../events.ts'
import { parentOf, type SyncPath } from '../path.ts'
import { refuse, type Refusal } from './decision.ts'
import { isLive, type TreeView } from './view.ts'

/** The directories that must be made before the path can be, the outermost first; a refusal where an ancestor is no directory (I18). */
export const missingParents = (view: TreeView, path: SyncPath): E.Either<Refusal, readonly FileEvent[]> => {
  const missing: SyncPath[] = []
  for (let at = parentOf(path); at !== undefined; at = parentOf(at)) {
    const entry: TreeEntry | undefined = view.get(at)
    if (!isLive(entry)) missing.unshift(at)
    // What lives has its parents: the tree is one (I18).
    else if (entry.content.kind === 'directory') break
    else return refuse('tree', `a ${entry.content.kind} stands where its parent folder would be`, entry)
  }
  return E.right(
    missing.map((parent, index) => ({
      type: 'FileCreated',
      path: parent,
      fileId: view.newFileId(view.next + index),
      content: directoryContent('0'),
    })),
  )
}
