import * as E from 'fp-ts/lib/Either.js'
import type { Change, Revision } from '../change.ts'
import { sameBytes } from '../content.ts'
import { made, refuse, type Decided } from './decision.ts'
import { missingParents } from './parents.ts'
import { decidePut, isOf, versionSeen } from './put.ts'
import { isLive, type LiveEntry, type TreeView } from './view.ts'

type Move = Extract<Change, { tag: 'move' }>

/**
 * The file at `from` goes to `path` and keeps its id. A move speaks of the version at `from` alone, so a path that is live is one
 * that the mover had not seen: the same bytes there are an update plus a deletion, others a conflict.
 */
export const decideMove = (view: TreeView, move: Move): Decided => {
  const source = view.get(move.from)
  if (move.content.kind === 'directory')
    return refuse('tree', 'a folder has no identity to move: make the new one, move its files, delete the old one', source)
  if (!isLive(source))
    return move.base === 'any' ? decidePut(view, move.path, move.content, 'any') : refuse('stale', 'the path to move is gone', source)
  if (source.content.kind === 'directory') return refuse('tree', 'a folder stands where the file to move was', source)
  if (!movesSeen(view, source, move.base)) return refuse('stale', 'the path to move has moved on from Base', source)
  const target = view.get(move.path)
  return isLive(target) ? moveOnto(move, source, target) : moveTo(view, move, source)
}

const movesSeen = (view: TreeView, source: LiveEntry, base: Revision | 'none' | 'any'): boolean => {
  if (base === 'any' || base === source.revision) return true
  if (base === 'none') return false
  const seen = versionSeen(view, source.path, base)
  // Metadata alone never makes a conflict (I13).
  return seen !== undefined && seen.fileId === source.fileId && isOf(seen, source.content)
}

const moveTo = (view: TreeView, { from, path, content }: Move, source: LiveEntry): Decided => {
  const parents = missingParents(view, path)
  if (E.isLeft(parents)) return parents
  const { fileId, revision } = source
  return made([...parents.right, { type: 'FileMoved', from, path, fileId, content, base: revision }], path)
}

const moveOnto = ({ from, path, content }: Move, source: LiveEntry, target: LiveEntry): Decided => {
  if (!sameBytes(target.content, content)) return refuse('stale', 'the path to move to is taken', target)
  return made(
    [
      { type: 'FileDeleted', path: from, fileId: source.fileId, base: source.revision },
      { type: 'FileUpdated', path, fileId: target.fileId, content, base: target.revision },
    ],
    path,
  )
}
