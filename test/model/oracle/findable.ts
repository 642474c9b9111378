import { DIRECTORY, idOf, idOfBytes } from '../content-id.ts'
import type { Evidence } from './evidence.ts'

const EMPTY = idOfBytes('file', Buffer.alloc(0))

/** I3: what a user made and an agent took from the disk must be current on some device, or in the log. */
export const judgeFindable = (evidence: Evidence): void => {
  const findable = new Set(evidence.log.map((entry) => entry.content))
  for (const { history } of evidence.devices) for (const inode of history.tree().values()) findable.add(idOf(inode))
  for (const { name, history } of evidence.devices) {
    for (const [content, made] of history.made) {
      const gone = history.gone.get(content)
      if (content === DIRECTORY || content === EMPTY || gone?.by !== 'agent' || findable.has(content)) continue
      evidence.trace.violated(
        'I3',
        `${name}: ${evidence.contents.show(content)}, which its user put at ${made.path} (#${made.sequence}), was taken away by its agent from ${gone.path} (#${gone.sequence}) and is nowhere`,
      )
    }
  }
}
