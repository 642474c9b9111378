import { sameContent } from '../../../src/domain/content.ts'
import type { Evidence } from './evidence.ts'
import type { OnStep } from './fold.ts'

/** I5: no event twice, and none that changes nothing; but a move onto the same bytes is an update plus a deletion, whatever the update changes (I18). */
export const judgeEvents = (evidence: Evidence): OnStep => {
  const ids = new Set<string>()
  return (entry, replaced) => {
    const { event, revision, action } = entry
    if (ids.has(entry.id)) evidence.trace.violated('I5', `revision ${revision} has the id of an earlier event`)
    ids.add(entry.id)
    const before = replaced.find((version) => 'path' in event && version.path === event.path)
    if (event.type === 'FileUpdated' && action !== 'Move' && before !== undefined && sameContent(before.content, event.content)) {
      evidence.trace.violated('I5', `revision ${revision} updates ${event.path} to what revision ${before.revision} had made it already`)
    }
  }
}

/** I6. */
export const judgeChunks = (evidence: Evidence): void => {
  for (const hash of evidence.missingChunks) evidence.trace.violated('I6', `the log names the chunk ${hash}, which is not stored`)
}
