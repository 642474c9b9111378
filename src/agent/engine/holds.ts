import { type HoldReason, mustHold } from '../../domain/holds.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { FolderContext } from './context.ts'

const APPROVED_ROOT = 'approvedRoot'

const SENTENCES: Readonly<Record<HoldReason, string>> = {
  everything: 'all files of the folder were deleted here',
  overHalf: 'over half of the folder\'s files were deleted or went back to older content here',
}

interface Counted {
  readonly n: number
}

const countOf = (ctx: FolderContext, sql: string): number => {
  // Each of these statements selects one count as n.
  const row = ctx.index.statement(sql).get() as unknown as Counted
  return row.n
}

const VANISHED = 'state = 1 AND local IS NULL AND base IS NOT NULL'
const RETURNED = 'SELECT node.path FROM node JOIN past ON past.path = node.path AND past.hash = node.hash WHERE state = 1'

const heldCount = (ctx: FolderContext): number => countOf(ctx, 'SELECT count(*) AS n FROM held WHERE approved = 0')

export const isHeld = (ctx: FolderContext, path: SyncPath): boolean =>
  ctx.index.statement('SELECT 1 FROM held WHERE path = ? AND approved = 0').get(path) !== undefined

export const releaseHold = (ctx: FolderContext, path: SyncPath): void => {
  ctx.index.statement('DELETE FROM held WHERE path = ?').run(path)
}

export const heldPaths = (ctx: FolderContext): string[] => {
  // One TEXT column.
  const rows = ctx.index.statement('SELECT path FROM held WHERE approved = 0 ORDER BY path').all() as unknown as { readonly path: string }[]
  return rows.map(({ path }) => path)
}

export const isApproved = (ctx: FolderContext, path: SyncPath): boolean =>
  ctx.index.statement('SELECT 1 FROM held WHERE path = ? AND approved = 1').get(path) !== undefined

/**
 * Judges all deletions (and returns to older content) that wait, as one (I15). Where they are too many, every one that no person has approved is held;
 * returns the reason.
 */
export const holdIfTooMany = (ctx: FolderContext): string | undefined => {
  if (ctx.index.meta(APPROVED_ROOT) !== undefined) return undefined
  const approved = countOf(ctx, 'SELECT count(*) AS n FROM held WHERE approved = 1')
  const recent = ctx.recentDeletions.count(ctx.now)
  const vanished = countOf(ctx, `SELECT count(*) AS n FROM node WHERE ${VANISHED} AND base_hash IS NOT NULL`)
  const returned = countOf(ctx, `SELECT count(*) AS n FROM (${RETURNED})`)
  const deleting = vanished + returned - approved + recent
  if (deleting < 10) return undefined
  const reason = mustHold({ synced: ctx.index.countSynced() + recent, deleting })
  if (reason === undefined) return undefined
  ctx.index.atomically(() => {
    ctx.index.statement(`INSERT OR IGNORE INTO held (path, approved) SELECT path, 0 FROM node WHERE ${VANISHED}`).run()
    ctx.index.statement(`INSERT OR IGNORE INTO held (path, approved) SELECT path, 0 FROM (${RETURNED})`).run()
  })
  return SENTENCES[reason]
}

/** Tells people and, by a notice in the folder's log, everybody that deletions are held. */
export const announceHold = (ctx: FolderContext, reason: string): void => {
  const count = heldCount(ctx)
  ctx.deps.report({ tag: 'held', count, reason })
  ctx.notices.push({ tag: 'hold', count, reason })
}

/** A person lets held deletions go: all of them, or those at or under some paths. */
export const approve = (ctx: FolderContext, paths: readonly string[] | undefined): number => {
  if (ctx.rootLost !== undefined && paths === undefined) {
    ctx.index.setMeta(APPROVED_ROOT, '1')
    ctx.scanWanted = true
    ctx.wake.look.notify()
    return ctx.index.countSynced()
  }
  const chosen = heldPaths(ctx).filter((held) => paths === undefined || paths.some((path) => held === path || held.startsWith(`${path}/`)))
  ctx.index.atomically(() => {
    for (const path of chosen) ctx.index.statement('UPDATE held SET approved = 1 WHERE path = ?').run(path)
  })
  if (chosen.length > 0) ctx.notices.push({ tag: 'approve', count: chosen.length })
  ctx.planAll()
  ctx.wake.publish.notify()
  return chosen.length
}

export const rootIsApproved = (ctx: FolderContext): boolean => ctx.index.meta(APPROVED_ROOT) !== undefined

/** The approved state of the root is published: later mass deletions are judged again. */
export const endRootApproval = (ctx: FolderContext): void => {
  ctx.index.statement('DELETE FROM meta WHERE key = ?').run(APPROVED_ROOT)
}
