import type { Content } from '../../domain/content.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { GraveState, Seen } from '../disk/port.ts'
import { decodeContent, decodeSeen, encodeContent, encodeSeen } from '../index/codec.ts'
import type { Work } from './apply.ts'
import { copyPath, holds } from './conflict.ts'
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
          .statement('INSERT OR REPLACE INTO grave (name, path, seen, content, round) VALUES (?, ?, ?, ?, ?)')
          .run(step.grave, path, encodeSeen(step.expect), encodeContent(node.local.content), ctx.graveRound)
      }
    }
  })
  ctx.wake.graves.notify()
}

const gravesUpTo = (ctx: FolderContext, round: number, after: string): Grave[] => {
  const sql = 'SELECT name, path, seen, content FROM grave WHERE round <= ? AND name > ? ORDER BY name LIMIT ?'
  // Written by buryBefore.
  const rows = ctx.index.statement(sql).all(round, after, AT_ONCE) as unknown as GraveRow[]
  return rows.map(({ name, path, seen, content }) => ({ name, path, seen: decodeSeen(seen), content: decodeContent(content) }))
}

const anyGrave = (ctx: FolderContext): boolean => ctx.index.statement('SELECT 1 FROM grave LIMIT 1').get() !== undefined

const forget = (ctx: FolderContext, names: readonly string[]): void => {
  ctx.index.atomically(() => {
    for (const name of names) ctx.index.statement('DELETE FROM grave WHERE name = ?').run(name)
  })
}

/**
 * The inode has another name in the folder (a move took it along): what is written to it is an edit there. The index may not have heard yet that
 * the name holds another one by now, so a look tells.
 */
const livesOn = async (ctx: FolderContext, { inode }: Seen): Promise<SyncPath | 'unknown' | undefined> => {
  const looks = await ctx.deps.disk.look(ctx.index.localsWithInode(inode).map(({ path }) => path))
  const found = looks.find((look) => look.tag === 'seen' && look.seen.inode === inode)
  return found?.path ?? (looks.some(({ tag }) => tag === 'unknown') ? 'unknown' : undefined)
}

/** An inode that somebody wrote to after it was replaced becomes a conflict copy. Tells whether the grave can go. */
const judge = async (ctx: FolderContext, grave: Grave, state: GraveState): Promise<boolean> => {
  if (state.tag === 'unstable') return false
  if (state.tag === 'gone' || state.hash === grave.content.hash) return true
  const elsewhere = await livesOn(ctx, state.seen)
  if (ctx.stopped() || elsewhere === 'unknown') return false
  if (elsewhere !== undefined) {
    ctx.look(elsewhere)
    return true
  }
  const content: Content = { ...grave.content, hash: state.hash, size: state.seen.size, modified: state.seen.mtime }
  const copy = copyPath(ctx, grave.path, content)
  if (holds(ctx, copy, content)) return true
  const result = await ctx.deps.disk.exhume(grave.name, copy)
  if (ctx.stopped() || result.tag === 'failed') return false
  if (result.tag === 'done') ctx.deps.report({ tag: 'conflict', path: grave.path, copy })
  ctx.look(copy)
  return result.tag === 'done'
}

const inspectPage = async (ctx: FolderContext, page: readonly Grave[]): Promise<void> => {
  const states = await ctx.deps.disk.inspectGraves(
    page.map(({ name }) => name),
    page.map(({ seen, content }) => ({ seen, hash: content.hash })),
  )
  const over: string[] = []
  for (const [at, grave] of page.entries()) {
    const state = states[at]
    if (ctx.stopped()) return
    if (state !== undefined && (await judge(ctx, grave, state))) over.push(grave.name)
  }
  if (ctx.stopped()) return
  if (over.length > 0) await ctx.deps.disk.dropGraves(over)
  if (!ctx.stopped()) forget(ctx, over)
}

const inspectUpTo = async (ctx: FolderContext, round: number): Promise<void> => {
  let after = ''
  for (let page = gravesUpTo(ctx, round, after); page.length > 0 && !ctx.stopped(); page = gravesUpTo(ctx, round, after)) {
    await inspectPage(ctx, page)
    after = page.at(-1)?.name ?? after
  }
}

/** Looks at what was replaced or removed, some seconds later: each grave has rested for a whole pause by then. */
export const graveLoop = async (ctx: FolderContext): Promise<void> => {
  // What an earlier run buried counts as the first round.
  ctx.index.statement('UPDATE grave SET round = 0').run()
  while (!ctx.stopped()) {
    if (!anyGrave(ctx)) {
      await ctx.wake.graves.wait(ctx.deps.clock, ctx.signal)
      continue
    }
    const round = ctx.graveRound
    ctx.graveRound += 1
    await ctx.deps.clock.sleep(REST_MS, ctx.signal)
    if (!ctx.stopped() && ctx.rootLost === undefined) await inspectUpTo(ctx, round)
  }
}
