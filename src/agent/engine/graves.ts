import type { Content } from '../../domain/content.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { GraveState, Seen } from '../disk/port.ts'
import { decodeContent, decodeSeen, encodeContent, encodeSeen } from '../index/codec.ts'
import type { Work } from './apply.ts'
import { copyPath } from './conflict.ts'
import type { FolderContext } from './context.ts'

/** How long a replaced or removed inode stays linked, so that a write through a descriptor that a program still holds is noticed. */
const REST_MS = 5_000
const AT_ONCE = 256

interface Grave {
  readonly name: string
  readonly path: SyncPath
  readonly seen: Seen
  readonly content: Content
}

interface GraveRow {
  readonly name: string
  readonly path: SyncPath
  readonly seen: string
  readonly content: string
}

/** Records the graves of steps that are about to run, so that a crash leaves no inode that nobody knows of (I3). */
export const buryBefore = (ctx: FolderContext, works: readonly Work[]): void => {
  ctx.index.atomically(() => {
    for (const { path, steps, node } of works) {
      for (const step of steps) {
        if (!('grave' in step) || step.expect === undefined || step.expect.kind === 'directory' || node.local === undefined) continue
        ctx.index
          .statement('INSERT OR REPLACE INTO grave (name, path, seen, content) VALUES (?, ?, ?, ?)')
          .run(step.grave, path, encodeSeen(step.expect), encodeContent(node.local.content))
      }
    }
  })
  ctx.graveSince ??= ctx.now
  ctx.wake.graves.notify()
}

const gravesAfter = (ctx: FolderContext, after: string): Grave[] => {
  // Written by buryBefore.
  const rows = ctx.index.statement('SELECT name, path, seen, content FROM grave WHERE name > ? ORDER BY name LIMIT ?').all(after, AT_ONCE) as unknown as GraveRow[]
  return rows.map(({ name, path, seen, content }) => ({ name, path, seen: decodeSeen(seen), content: decodeContent(content) }))
}

const forget = (ctx: FolderContext, name: string): void => {
  ctx.index.statement('DELETE FROM grave WHERE name = ?').run(name)
}

/** An inode that somebody wrote to after it was replaced becomes a conflict copy; one that was left alone goes. */
const judge = async (ctx: FolderContext, grave: Grave, state: GraveState): Promise<void> => {
  if (state.tag === 'unstable') return
  if (state.tag === 'there' && state.hash !== grave.content.hash) return exhume(ctx, grave, state)
  if (state.tag === 'there') await ctx.deps.disk.dropGraves([grave.name])
  if (!ctx.signal.aborted) forget(ctx, grave.name)
}

const exhume = async (ctx: FolderContext, grave: Grave, state: Extract<GraveState, { tag: 'there' }>): Promise<void> => {
  const content: Content = { ...grave.content, hash: state.hash, size: state.seen.size, modified: state.seen.mtime }
  const copy = copyPath(ctx, grave.path, content)
  const result = await ctx.deps.disk.exhume(grave.name, copy)
  if (ctx.signal.aborted || result.tag === 'failed') return
  if (result.tag === 'done') {
    forget(ctx, grave.name)
    ctx.deps.report({ tag: 'conflict', path: grave.path, copy })
  }
  ctx.look(copy)
}

const inspectAll = async (ctx: FolderContext): Promise<void> => {
  let after = ''
  for (let page = gravesAfter(ctx, after); page.length > 0 && !ctx.signal.aborted; page = gravesAfter(ctx, after)) {
    const states = await ctx.deps.disk.inspectGraves(page.map(({ name }) => name), page.map(({ seen, content }) => ({ seen, hash: content.hash })))
    if (ctx.signal.aborted) return
    for (const [at, grave] of page.entries()) {
      const state = states[at]
      if (state !== undefined) await judge(ctx, grave, state)
    }
    after = page.at(-1)?.name ?? after
  }
}

const anyGrave = (ctx: FolderContext): boolean => gravesAfter(ctx, '').length > 0

/** Looks at what was replaced or removed, some seconds later. */
export const graveLoop = async (ctx: FolderContext): Promise<void> => {
  if (anyGrave(ctx)) ctx.graveSince = ctx.now
  while (!ctx.signal.aborted) {
    if (ctx.graveSince === undefined) {
      await ctx.wake.graves.wait(ctx.deps.clock, ctx.signal)
      continue
    }
    await ctx.deps.clock.sleep(REST_MS, ctx.signal)
    if (ctx.signal.aborted) return
    ctx.graveSince = undefined
    await inspectAll(ctx)
    if (anyGrave(ctx)) ctx.graveSince = ctx.now
  }
}
