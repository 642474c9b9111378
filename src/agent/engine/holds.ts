import { type HoldReason, mustHold } from '../../domain/holds.ts'
import { sameBytes } from '../../domain/content.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { Intent } from '../../domain/plan/trees.ts'
import type { Node } from '../index/node.ts'
import type { FolderContext } from './context.ts'

const APPROVED_ROOT = 'approvedRoot'
/** A person has approved of the root that is there, which is to be marked. */
const WAITING = '1'
/** It was marked: what it lacks is being deleted. */
const TAKEN = 'taken'

const HOW_MANY: Readonly<Record<HoldReason, string>> = {
  everything: 'all files of the folder',
  overHalf: "over half of the folder's files",
}

/** Why a person is asked, in words: a branch that was checked out is no deletion to them. */
const sentence = (reason: HoldReason, vanished: number, returned: number): string => {
  if (returned === 0) return `${HOW_MANY[reason]} were deleted here`
  const what = vanished === 0 ? 'went back' : 'were deleted or went back'
  return `${HOW_MANY[reason]} ${what} to older content here, as when a disk is put back or another branch is checked out`
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
/** Also those that the log has changed meanwhile: nothing of them is to be deleted, but they went with the others. */
const GONE = 'state & 1 AND local IS NULL AND base_hash IS NOT NULL'
const RETURNED = 'SELECT node.path FROM node JOIN past ON past.path = node.path AND past.hash = node.hash WHERE state = 1'

/** Held paths freeze, until a person approves, or what is on the disk is no deletion (nor a return to older content) any more. */
export const staysHeld = (ctx: FolderContext, node: Node, intent: Intent): boolean => {
  if (intent.tag === 'none' || intent.tag === 'adopt' || intent.tag === 'forget') return false
  return node.local === undefined || isReturn(ctx, node)
}

/** Going back to content that was in sync here once: it may be a disk that was put back to an older state, and counts like a deletion (I15). */
export const isReturn = (ctx: FolderContext, { path, local, base }: Node): boolean =>
  local !== undefined && base !== undefined && !sameBytes(local.content, base.content) && ctx.index.wasPast(path, local.content.hash)

/** Whether a deletion below a folder is held: then nothing takes the folder's place in the log, either. */
export const holdsBelow = (ctx: FolderContext, directory: SyncPath): boolean =>
  ctx.index.statement('SELECT 1 FROM held WHERE path > ? AND path < ? AND approved = 0 LIMIT 1').get(`${directory}/`, `${directory}0`) !==
  undefined

const heldCount = (ctx: FolderContext): number => countOf(ctx, 'SELECT count(*) AS n FROM held WHERE approved = 0')

export const isHeld = (ctx: FolderContext, path: SyncPath): boolean =>
  ctx.index.statement('SELECT 1 FROM held WHERE path = ? AND approved = 0').get(path) !== undefined

export const releaseHold = (ctx: FolderContext, path: SyncPath): void => {
  ctx.index.statement('DELETE FROM held WHERE path = ?').run(path)
}

/** Whatever became of them, nothing is left to be deleted there. */
export const releaseSettledHolds = (ctx: FolderContext): void => {
  ctx.index.statement('DELETE FROM held WHERE NOT EXISTS (SELECT 1 FROM node WHERE node.path = held.path AND node.state > 0)').run()
}

export const heldPaths = (ctx: FolderContext): string[] => {
  // One TEXT column.
  const rows = ctx.index.statement('SELECT path FROM held WHERE approved = 0 ORDER BY path').all() as unknown as { readonly path: string }[]
  return rows.map(({ path }) => path)
}

const isApproved = (ctx: FolderContext, path: SyncPath): boolean =>
  ctx.index.statement('SELECT 1 FROM held WHERE path = ? AND approved = 1').get(path) !== undefined

/** Files that came while those that wait were being deleted: who deleted all that there was knew nothing of them. */
const cameMeanwhile = (ctx: FolderContext): number =>
  ctx.deletions.arrivals.broughtSince(ctx.deletions.vanishingSince).filter((path) => {
    const { local, base } = ctx.index.get(path)
    return local !== undefined && base?.content.kind === 'file' && base.content.size > 0
  }).length

/** Judges all deletions (and returns to older content) that wait, as one (I15): why a person must approve those that none has approved yet. */
export const tooManyDeletions = (ctx: FolderContext): string | undefined => {
  if (rootIsApproved(ctx)) return undefined
  const approved = countOf(ctx, 'SELECT count(*) AS n FROM held WHERE approved = 1')
  const recent = ctx.deletions.recent.count(ctx.now)
  const vanished = countOf(ctx, `SELECT count(*) AS n FROM node WHERE ${GONE}`) + ctx.deletions.broughtBack.count(ctx.now)
  const returned = countOf(ctx, `SELECT count(*) AS n FROM (${RETURNED})`)
  const deleting = vanished + returned - approved + recent
  if (deleting < 10) return undefined
  const reason = mustHold({ synced: ctx.index.countSynced() + recent - cameMeanwhile(ctx), deleting })
  return reason === undefined ? undefined : sentence(reason, vanished + recent, returned)
}

/** So few that vanish later are not held for the sake of those that are. */
const FEW = 10

/** Those of a few that vanished now which had come after others were held: files that live for a moment, as programs make them. They are no part of that. */
const passing = (ctx: FolderContext): readonly SyncPath[] => {
  if (heldCount(ctx) === 0) return []
  const sql = `SELECT path FROM node WHERE ${VANISHED} AND path NOT IN (SELECT path FROM held) LIMIT ${FEW}`
  // One TEXT column, written from validated paths.
  const news = (ctx.index.statement(sql).all() as unknown as { readonly path: SyncPath }[]).map(({ path }) => path)
  const recent = ctx.deletions.recent.count(ctx.now)
  // With those that went out lately they may be many, which wait whether others wait or not.
  const many = mustHold({ synced: ctx.index.countSynced() + recent, deleting: news.length + recent }) !== undefined
  return news.length < FEW && !many ? news.filter((path) => ctx.deletions.arrivals.cameSince(path, ctx.deletions.heldAt)) : []
}

/** Holds every deletion that waits and that nobody has approved; tells how many of them are news. */
export const holdWaiting = (ctx: FolderContext): number =>
  ctx.index.atomically(() => {
    const before = heldCount(ctx)
    const left = JSON.stringify(passing(ctx))
    ctx.index
      .statement(
        `INSERT OR IGNORE INTO held (path, approved) SELECT path, 0 FROM node WHERE ${VANISHED} AND path NOT IN (SELECT value FROM json_each(?))`,
      )
      .run(left)
    ctx.index.statement(`INSERT OR IGNORE INTO held (path, approved) SELECT path, 0 FROM (${RETURNED})`).run()
    const news = heldCount(ctx) - before
    if (news > 0) ctx.deletions.heldAt = ctx.now
    return news
  })

/** A deletion has gone out. What a person approved is none that a later one is judged with. */
export const noteDeletion = (ctx: FolderContext, path: SyncPath): void => {
  if (ctx.index.get(path).base?.content.kind !== 'file' || isApproved(ctx, path) || rootIsApproved(ctx)) return
  ctx.deletions.recent.add(1, ctx.now)
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
    ctx.index.setMeta(APPROVED_ROOT, WAITING)
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

/** An approval is of one root: another that comes after it must be approved again (I15). */
export const isRootToBeTaken = (ctx: FolderContext): boolean => ctx.index.meta(APPROVED_ROOT) === WAITING

export const noteRootTaken = (ctx: FolderContext): void => {
  if (rootIsApproved(ctx)) ctx.index.setMeta(APPROVED_ROOT, TAKEN)
}

/** The approved state of the root is published: later mass deletions are judged again. */
export const endRootApproval = (ctx: FolderContext): void => {
  if (rootIsApproved(ctx)) ctx.index.dropMeta(APPROVED_ROOT)
}
