import type { Change } from '../change.ts'
import { made, type Decided } from './decision.ts'
import { decideMove } from './move.ts'
import { decidePut } from './put.ts'
import { decideDelete } from './remove.ts'
import type { TreeView } from './view.ts'

/** What one change does to a folder, by the tree at its head: the events that it makes, or why it is refused. */
export const decide = (view: TreeView, change: Change): Decided => {
  switch (change.tag) {
    case 'create':
    case 'update':
      return decidePut(view, change.path, change.content, change.base)
    case 'move':
      return decideMove(view, change)
    case 'delete':
      return decideDelete(view, change.path, change.base)
    case 'hold':
      return made([{ type: 'DeletionHeld', count: change.count, reason: change.reason }], undefined)
    case 'approve':
      return made([{ type: 'DeletionApproved', count: change.count }], undefined)
  }
}
