import type { Base } from '../change.ts'
import type { SyncPath } from '../path.ts'
import { already, made, refuse, type Decided } from './decision.ts'
import { isLive, type TreeView } from './view.ts'

/** A deletion holds for the one version that the deleter had seen (I4), and for no folder that something lives in (I18). */
export const decideDelete = (view: TreeView, path: SyncPath, base: Base): Decided => {
  const present = view.get(path)
  if (present === undefined) return refuse('notFound', 'there has never been such a path', undefined)
  if (!isLive(present)) return already(present)
  if (base !== 'any' && base !== present.revision) return refuse('stale', 'the path has moved on from Base', present)
  if (present.content.kind === 'directory' && view.hasLiveUnder(path)) return refuse('tree', 'the folder is not empty', present)
  return made([{ type: 'FileDeleted', path, fileId: present.fileId, base: present.revision }], path)
}
