import { conflictPath } from '../../domain/conflict-name.ts'
import { type Content, sameBytes } from '../../domain/content.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { Seen, Step } from '../disk/port.ts'
import type { FolderContext } from './context.ts'

/** Where a refused version goes: a name of its own, which depends on the version alone. A second version of the same second gets digits of its hash. */
export const copyPath = (ctx: FolderContext, path: SyncPath, content: Content): SyncPath => {
  const plain = conflictPath(path, ctx.deps.agentName, content.modified)
  const taken = ctx.index.get(plain)
  const free = taken.local === undefined && taken.remote?.content === undefined
  return free || holds(ctx, plain, content) ? plain : conflictPath(path, ctx.deps.agentName, content.modified, content.hash)
}

/** Whether the copy is there already: a step that a crash cut short, or a grave that was opened before. Folders are never copies of each other. */
export const holds = (ctx: FolderContext, path: SyncPath, content: Content): boolean => {
  const { local } = ctx.index.get(path)
  return content.kind !== 'directory' && local !== undefined && sameBytes(local.content, content)
}

/** Moves a refused version aside; where its copy is there already, only the name is given up. */
export const asideStep = (ctx: FolderContext, path: SyncPath, content: Content, expect: Seen, grave: string): Step => {
  const to = copyPath(ctx, path, content)
  return holds(ctx, to, content) ? { tag: 'remove', path, expect, grave } : { tag: 'aside', path, expect, to }
}
