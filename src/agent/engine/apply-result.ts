import { sameBytes } from '../../domain/content.ts'
import { ancestorsOf, nameOf, type SyncPath } from '../../domain/path.ts'
import type { BaseState } from '../../domain/plan/trees.ts'
import type { Look, Seen, StepResult } from '../disk/port.ts'
import { IGNORE_FILE } from '../ignore-rules.ts'
import type { Node } from '../index/node.ts'
import type { Work } from './apply.ts'
import { copyPath } from './conflict.ts'
import type { FolderContext } from './context.ts'
import type { ApplyJob } from './jobs.ts'
import { forgetBelow, localOf, placedOf } from './local-tree.ts'
import { obstacleOf } from './problems.ts'

/** What is to be done once the group's results are recorded. */
type Afterwards = () => void

/** A path's steps went well: the local tree follows, and base as soon as it is durable. */
export const noteDone = (ctx: FolderContext, work: Work, seen: Seen | undefined): Afterwards => {
  const { path, job } = work
  ctx.problems.clear(path, 'version')
  ctx.stepped(path)
  switch (job.tag) {
    case 'place':
      return notePlaced(ctx, work, job, seen)
    case 'touch':
      if (seen !== undefined) ctx.index.setLocal(path, localOf(ctx, seen, { ...job.version.content }), ctx.index.chunksOf(path))
      return () => ctx.adopt(path, job.version)
    case 'remove':
      ctx.index.setLocal(path, undefined)
      ctx.deps.report({ tag: 'received', action: 'delete', path })
      return () => ctx.adopt(path, undefined)
    case 'conflict':
      return noteAside(ctx, work, seen)
  }
}

const notePlaced = (
  ctx: FolderContext,
  { path, node }: Work,
  job: Extract<ApplyJob, { tag: 'place' }>,
  seen: Seen | undefined,
): Afterwards => {
  if (seen === undefined) return () => again(ctx, path)
  const { version } = job
  const local = placedOf(ctx, seen, version.content)
  ctx.deps.report({ tag: 'received', action: node.local === undefined ? 'create' : 'update', path })
  if (isNew(node)) ctx.deletions.arrivals.add(path, { at: ctx.now, brought: true })
  if (isNew(node) && job.chunks.length < 2) return () => ctx.adoptPlaced(path, version, local)
  ctx.index.setLocal(path, local, job.chunks)
  if (node.local === undefined && node.base?.content.kind === 'file') ctx.deletions.broughtBack.add(1, ctx.now)
  return () => ctx.adopt(path, version)
}

/** Nothing but the log knew of it. (An ignore file's rules are read from the local tree at once.) */
const isNew = ({ path, local, base }: Node): boolean => local === undefined && base === undefined && nameOf(path) !== IGNORE_FILE

const noteAside = (ctx: FolderContext, { path, node, steps }: Work, seen: Seen | undefined): Afterwards => {
  const [step] = steps
  if (step === undefined || node.local === undefined) return () => ctx.release(path)
  const { content } = node.local
  const to = step.tag === 'aside' ? step.to : undefined
  if (content.kind === 'directory') forgetBelow(ctx, path)
  else if (to !== undefined && seen !== undefined) ctx.index.setLocal(to, localOf(ctx, seen, content), ctx.index.chunksOf(path))
  ctx.index.setLocal(path, undefined)
  // The name belongs to the log's version now: what is missing here is not a deletion.
  ctx.index.setBase(path, undefined)
  if (to !== undefined) ctx.deps.report({ tag: 'conflict', path, copy: to })
  return () => {
    if (to !== undefined) {
      ctx.look(to)
      ctx.plan(to)
    }
    ctx.release(path)
  }
}

/**
 * The disk is not as the plan saw it: a look will say how it is. Looks wait for a scan that is under way; so does the path, and that is no problem. Where
 * looks have found nothing new again and again (an ignored folder stands in the way, a file is written all the time), it is tried again with growing pauses.
 */
const again = (ctx: FolderContext, path: SyncPath): void => {
  const waits = ctx.scanning && ctx.unlooked.add(path)
  if (!waits) ctx.looks.sent(path, ctx.now)
  if (!waits && ctx.looks.isHot(path, ctx.now))
    ctx.block(path, { reason: 'what is on the disk here keeps changing, or is in the way', side: 'version', permanent: false })
  ctx.look(path)
  ctx.release(path)
}

const idle = (ctx: FolderContext, { job }: Work): void => {
  if (job.tag === 'place' && job.stage !== undefined) ctx.idleStages.push(job.stage)
}

/** What lies in a folder that this device can't hold can't be held, either. */
const hasNoFolder = (ctx: FolderContext, path: SyncPath): boolean =>
  ancestorsOf(path).some((ancestor) => ctx.problems.isPermanent(ancestor))

/** A path's steps found something else than the plan saw, or could not be carried out. */
export const noteNotDone = (ctx: FolderContext, work: Work, result: Exclude<StepResult, { tag: 'done' }>): Afterwards => {
  const { path, job, node } = work
  idle(ctx, work)
  if (result.tag === 'changed') {
    // The name that was to be taken may be what was not as it seemed.
    for (const step of work.steps) if (step.tag === 'aside') ctx.look(step.to)
    return () => again(ctx, path)
  }
  if (result.error.tag === 'NotEmpty') return () => ctx.run(settleNotEmpty(ctx, path, job.tag === 'place' ? job.version : undefined))
  const obstacle = obstacleOf(result.error, 'version')
  ctx.block(path, result.error.tag === 'BadParent' && hasNoFolder(ctx, path) ? { ...obstacle, permanent: true } : obstacle)
  if (result.error.tag === 'NoSpace') ctx.lastError = result.error.reason
  if (result.error.tag === 'BadParent' && node.local !== undefined) ctx.look(path)
  return () => ctx.release(path)
}

/**
 * A directory that should go still holds something. What the log does not know yet is looked at, and goes its own way first (it brings the directory
 * back, or goes); where a file is to take the directory's name, the directory moves aside; where only ignored files are left it stays, and is reported.
 */
const settleNotEmpty = async (ctx: FolderContext, path: SyncPath, version: BaseState | undefined): Promise<void> => {
  const [listing] = await ctx.deps.disk.list([path])
  if (ctx.stopped()) return
  if (listing?.result.tag !== 'listed') return again(ctx, path)
  const inside = listing.result.entries.filter(
    (entry) => !ctx.ignore.ignores(entry.path, isFolder(entry)) && !ctx.problems.isPermanent(entry.path),
  )
  for (const entry of inside) ctx.look(entry.path)
  // Moved aside with the rest, what the log has deleted would come back as new.
  if (inside.some((entry) => isLeaving(ctx, entry.path))) return wait(ctx, path, 'the folder still holds files that are about to go', false)
  // The gateway knows which of its files are no edits but versions that came since base, and went: they must not come back beside the folder.
  if (ctx.index.askedBelow(path).some((asked) => !ctx.problems.has(asked, 'version')))
    return wait(ctx, path, 'the folder still holds files that the server is being asked about', false)
  if (version !== undefined) return moveAside(ctx, path, version)
  if (inside.length > 0) return wait(ctx, path, 'the folder still holds files that were added here', false)
  return wait(ctx, path, 'the folder was deleted elsewhere; it stays here because of what is in it and does not sync', true)
}

const wait = (ctx: FolderContext, path: SyncPath, reason: string, permanent: boolean): void => {
  ctx.block(path, { reason, side: 'version', permanent })
  ctx.release(path)
}

const isFolder = (look: Look): boolean => look.tag === 'seen' && look.seen.kind === 'directory'

/** It is as it was in sync, with all that lies below, and the log has deleted it. */
const isLeaving = (ctx: FolderContext, path: SyncPath): boolean => {
  const { local, base, remote } = ctx.index.get(path)
  return (
    local !== undefined &&
    base !== undefined &&
    remote?.content === undefined &&
    sameBytes(local.content, base.content) &&
    !ctx.index.staysBelow(path)
  )
}

const moveAside = async (ctx: FolderContext, path: SyncPath, version: BaseState): Promise<void> => {
  const { local } = ctx.index.get(path)
  if (local === undefined) return again(ctx, path)
  const to = copyPath(ctx, path, version.content)
  const [result] = await ctx.deps.disk.apply([{ tag: 'aside', path, expect: local.seen, to }])
  if (ctx.stopped()) return
  ctx.groupsApplied += 1
  if (result?.tag === 'done') {
    ctx.index.atomically(() => {
      forgetBelow(ctx, path)
      ctx.index.setLocal(path, undefined)
      ctx.index.setBase(path, undefined)
    })
    ctx.deps.report({ tag: 'conflict', path, copy: to })
  } else if (result?.tag === 'failed') ctx.block(path, obstacleOf(result.error, 'version'))
  ctx.look(to)
  again(ctx, path)
}
