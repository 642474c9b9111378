import { sameBytes } from '../../domain/content.ts'
import { ancestorsOf, depthOf, type SyncPath } from '../../domain/path.ts'
import { plan } from '../../domain/plan/plan.ts'
import type { Intent } from '../../domain/plan/trees.ts'
import type { Step, StepResult } from '../disk/port.ts'
import type { Node } from '../index/node.ts'
import { confirm, putBackAdoptions, recordBases, takeAdoptions } from './adopt.ts'
import { noteDone, noteNotDone } from './apply-result.ts'
import { asideStep } from './conflict.ts'
import type { FolderContext } from './context.ts'
import type { ApplyJob } from './jobs.ts'
import { buryBefore } from './graves.ts'
import { isHeld } from './holds.ts'
import { rulesMoved } from './local-tree.ts'
import { obstacleOf } from './problems.ts'

const AT_ONCE = 1_024
const WANTERS = 64
/** With more stages than these one sync of all serves the adoptions that wait, too. */
const SHARED_SYNC = 32

/** One path's job made into steps, in the order in which they must run. */
export interface Work {
  readonly path: SyncPath
  readonly job: ApplyJob
  readonly node: Node
  readonly steps: readonly Step[]
  /** Asides first, then removals (the deepest first), folders, files, metadata. */
  readonly rank: number
}

const RANK = { conflict: 0, remove: 1, directory: 2, place: 3, touch: 4 } as const

/** Whether the plan still wants what the job was made for: the trees may have moved on meanwhile. */
const stillWanted = (job: ApplyJob, intent: Intent): boolean => {
  switch (job.tag) {
    case 'place':
      return intent.tag === 'put' && intent.version.revision === job.version.revision
    case 'touch':
      return intent.tag === 'touch' && intent.version.revision === job.version.revision
    case 'remove':
      return intent.tag === 'remove'
    case 'conflict':
      return intent.tag === 'conflict' && sameBytes(intent.content, job.content)
  }
}

const isFetched = (ctx: FolderContext, path: SyncPath): boolean => ctx.queues.fetch.has(path) || ctx.fetching.has(path)

/** Whether a path is still to be given its bytes: one that a worker has in hand has them staged, or goes another way. */
const isWanting = (ctx: FolderContext, path: SyncPath): boolean => {
  if (isFetched(ctx, path)) return true
  return !ctx.busy.has(path) && !ctx.problems.blocks(path) && !isHeld(ctx, path)
}

/**
 * Other paths still want these bytes from here: they are staged before anything takes them away (swaps, cycles, moves). Those that were not handed out yet
 * are, with the folders that they are in: a queue full of sources would otherwise wait for ever for what has no room in it.
 */
const isSource = (ctx: FolderContext, { path, local }: Node): boolean => {
  if (local?.content.kind !== 'file') return false
  const wanting = ctx.index.wantedAt(local.content.hash, WANTERS).filter((other) => other !== path && isWanting(ctx, other))
  for (const other of wanting) if (!ctx.busy.has(other)) for (const each of [...ancestorsOf(other), other]) ctx.plan(each)
  const fetched = wanting.find((other) => isFetched(ctx, other))
  if (fetched !== undefined) ctx.sourceFor.set(path, fetched)
  return wanting.length > 0
}

/**
 * Whether a source still waits for the path that it was last found to wait for. While that one is being fetched nothing else is asked: otherwise each wake
 * of the loop judges every source of a large move anew.
 */
const stillWaits = (ctx: FolderContext, path: SyncPath): boolean => {
  const other = ctx.sourceFor.get(path)
  if (other === undefined) return false
  if (isFetched(ctx, other)) return true
  ctx.sourceFor.delete(path)
  return false
}

const graveName = (ctx: FolderContext): string =>
  Array.from({ length: 4 }, () =>
    Math.floor(ctx.deps.random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('')

/** Where nothing is replaced, nothing is buried. */
const NO_GRAVE = ''

const placeSteps = (ctx: FolderContext, { path, local }: Node, job: Extract<ApplyJob, { tag: 'place' }>): Step[] => {
  const { kind } = job.version.content
  const expect = local?.seen
  const grave = expect === undefined ? NO_GRAVE : graveName(ctx)
  if (kind === 'directory') {
    const clear: Step[] = expect === undefined ? [] : [{ tag: 'remove', path, expect, grave }]
    return [...clear, { tag: 'mkdir', path }]
  }
  const clear: Step[] = expect?.kind === 'directory' ? [{ tag: 'remove', path, expect, grave: graveName(ctx) }] : []
  const over = expect?.kind === 'directory' ? undefined : expect
  const { target, version } = job
  if (target !== undefined) return [...clear, { tag: 'symlink', target, modified: version.content.modified, path, expect: over, grave }]
  return [...clear, { tag: 'place', stage: job.stage ?? '', path, expect: over, grave }]
}

const workFor = (ctx: FolderContext, path: SyncPath, job: ApplyJob): Work | 'later' | undefined => {
  const node = ctx.index.get(path)
  if (!stillWanted(job, plan(node))) return undefined
  if (job.tag !== 'touch' && isSource(ctx, node)) return 'later'
  const seen = node.local?.seen
  switch (job.tag) {
    case 'place':
      return {
        path,
        job,
        node,
        steps: placeSteps(ctx, node, job),
        rank: job.version.content.kind === 'directory' ? RANK.directory : RANK.place,
      }
    case 'touch': {
      const { executable, modified } = job.version.content
      return seen === undefined
        ? undefined
        : { path, job, node, steps: [{ tag: 'touch', path, expect: seen, executable, modified }], rank: RANK.touch }
    }
    case 'remove':
      return seen === undefined
        ? undefined
        : { path, job, node, steps: [{ tag: 'remove', path, expect: seen, grave: graveName(ctx) }], rank: RANK.remove }
    case 'conflict':
      return seen === undefined
        ? undefined
        : { path, job, node, steps: [asideStep(ctx, path, job.content, seen, graveName(ctx))], rank: RANK.conflict }
  }
}

const inOrder = (a: Work, b: Work): number => {
  if (a.rank !== b.rank) return a.rank - b.rank
  if (a.rank === RANK.remove) return depthOf(b.path) - depthOf(a.path)
  return a.path < b.path ? -1 : 1
}

const take = (ctx: FolderContext): Work[] => {
  const works: Work[] = []
  for (const [path, job] of ctx.queues.apply) {
    if (works.length >= AT_ONCE) break
    if (stillWaits(ctx, path)) continue
    const work = workFor(ctx, path, job)
    if (work === 'later') continue
    ctx.queues.apply.delete(path)
    if (work === undefined) drop(ctx, path, job)
    else works.push(work)
  }
  return works.toSorted(inOrder)
}

const drop = (ctx: FolderContext, path: SyncPath, job: ApplyJob): void => {
  if (job.tag === 'place' && job.stage !== undefined) ctx.idleStages.push(job.stage)
  ctx.release(path)
}

/** Carries out visible changes in groups: contents are durable first (I17), then each step checks that its target is what the plan saw. */
export const applyLoop = async (ctx: FolderContext): Promise<void> => {
  while (!ctx.stopped()) {
    const works = ctx.rootLost === undefined ? ctx.index.atomically(() => take(ctx)) : []
    if (works.length === 0) await ctx.wake.apply.wait(ctx.deps.clock, ctx.signal)
    else await applyGroup(ctx, works)
  }
}

/** The stages whose contents are to be made durable. */
const stagesOf = (works: readonly Work[]): string[] =>
  works.flatMap(({ job }) => (job.tag === 'place' && job.stage !== undefined && job.durable !== true ? [job.stage] : []))

const applyGroup = async (ctx: FolderContext, works: readonly Work[]): Promise<void> => {
  const stages = stagesOf(works)
  // The sync that makes many stages durable does so for what was put in place before.
  const adoptions = stages.length > SHARED_SYNC ? takeAdoptions(ctx) : []
  const error =
    stages.length === 0
      ? undefined
      : await ctx.deps.disk.persistStages(
          stages,
          adoptions.map(({ path }) => path),
        )
  if (ctx.stopped()) return
  if (error === undefined) {
    await confirm(ctx, adoptions)
    if (ctx.stopped()) return
    recordBases(ctx, adoptions)
  } else {
    putBackAdoptions(ctx, adoptions)
    for (const { path } of works) {
      ctx.block(path, obstacleOf(error, 'version'))
      ctx.release(path)
    }
    return
  }
  buryBefore(ctx, works)
  for (const { path } of works) ctx.applying.set(path, false)
  const results = await ctx.deps.disk.apply(works.flatMap(({ steps }) => steps))
  if (ctx.stopped()) return
  takeResults(ctx, works, results)
}

/** The results of each path's steps; the first that is not done stands for the path. */
const takeResults = (ctx: FolderContext, works: readonly Work[], results: readonly StepResult[]): void => {
  ctx.groupsApplied += 1
  let at = 0
  const settled = works.map((work) => {
    const own = results.slice(at, at + work.steps.length)
    at += work.steps.length
    return { work, result: own.find(({ tag }) => tag !== 'done') ?? own.at(-1) }
  })
  // Where a power cut takes it, these steps are as those that a crash cut off before this: what they left on the disk is found by a look.
  const afterwards = ctx.index.note(() =>
    settled.map(({ work, result }) => {
      if (result === undefined) return () => ctx.release(work.path)
      return result.tag === 'done' ? noteDone(ctx, work, result.seen) : noteNotDone(ctx, work, result)
    }),
  )
  for (const act of afterwards) act()
  for (const { path } of works) {
    if (!ctx.unrecorded.has(path)) ctx.endSteps(path)
    rulesMoved(ctx, path)
  }
}
