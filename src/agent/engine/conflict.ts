import { conflictPath } from '../../domain/conflict-name.ts'
import { type Content, sameBytes } from '../../domain/content.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { Seen, Step } from '../disk/port.ts'
import type { Node } from '../index/folder-index.ts'
import type { FolderContext } from './context.ts'

/** Where a refused version goes: a name of its own, which depends on the version alone. A second version of the same second gets digits of its hash. */
export const copyPath = (ctx: FolderContext, path: SyncPath, content: Content): SyncPath => {
  const plain = conflictPath(path, ctx.deps.agentName, content.modified)
  const taken = ctx.index.get(plain)
  const free = taken.local === undefined && taken.remote?.content === undefined
  if (free || (taken.local !== undefined && sameBytes(taken.local.content, content))) return plain
  return conflictPath(path, ctx.deps.agentName, content.modified, content.hash)
}

export const asideStep = (ctx: FolderContext, { path }: Node, content: Content, expect: Seen): Step => ({
  tag: 'aside',
  path,
  expect,
  to: copyPath(ctx, path, content),
})
