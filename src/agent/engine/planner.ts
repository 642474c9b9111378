import type { SyncPath } from '../../domain/path.ts'
import { plan } from '../../domain/plan/plan.ts'
import type { Intent } from '../../domain/plan/trees.ts'
import type { Node } from '../index/node.ts'
import type { FolderContext } from './context.ts'
import { holdsBelow, isHeld, isReturn, releaseHold, releaseSettledHolds, rootIsApproved, staysHeld } from './holds.ts'

const AT_ONCE = 512
const QUEUE_LIMIT = 4_096

const queueHasRoom = ({ queues }: FolderContext): boolean =>
  queues.fetch.size < QUEUE_LIMIT && queues.apply.size < QUEUE_LIMIT && queues.publish.size < QUEUE_LIMIT

/** Hands one path's intent to the worker whose it is. */
const dispatch = (ctx: FolderContext, node: Node, intent: Intent): void => {
  const { path } = node
  const { queues, wake } = ctx
  switch (intent.tag) {
    case 'none':
      ctx.problems.clear(path, 'version')
      return
    case 'adopt':
      return ctx.adopt(path, intent.version)
    case 'forget':
      return ctx.adopt(path, undefined)
    case 'put':
      return dispatchPut(ctx, path, intent.version)
    case 'touch':
      queues.apply.set(path, intent)
      break
    case 'remove':
      queues.apply.set(path, { tag: 'remove' })
      break
    case 'conflict':
      queues.apply.set(path, { tag: 'conflict', content: intent.content })
      break
    case 'publish':
      if (isReturn(ctx, node) || replacesFolder(node)) queues.destructive.add(path)
      else queues.publish.add(path)
      wake.publish.notify()
      break
    case 'publishDeletion':
      queues.destructive.add(path)
      wake.publish.notify()
      break
  }
  ctx.busy.add(path)
  wake.apply.notify()
}

const dispatchPut = (ctx: FolderContext, path: SyncPath, version: Extract<Intent, { tag: 'put' }>['version']): void => {
  ctx.busy.add(path)
  if (version.content.kind === 'directory') {
    ctx.queues.apply.set(path, { tag: 'place', version, stage: undefined, target: undefined, chunks: [] })
    ctx.wake.apply.notify()
  } else {
    ctx.queues.fetch.set(path, version)
    ctx.wake.fetch.notify()
  }
}

/** A file takes a folder's name: what lay in the folder must be deleted in the log first (I18). */
const replacesFolder = ({ local, remote }: Node): boolean =>
  local !== undefined && local.content.kind !== 'directory' && remote?.content?.kind === 'directory'

const planOne = (ctx: FolderContext, node: Node): void => {
  if (ctx.busy.has(node.path) || ctx.problems.blocks(node.path) || ctx.unlooked.has(node.path)) return
  if (ctx.isIgnored(node)) return void ctx.problems.clear(node.path, 'version')
  const intent = plan(node)
  if (isHeld(ctx, node.path)) {
    if (staysHeld(ctx, node, intent)) return
    releaseHold(ctx, node.path)
  }
  if ((intent.tag === 'publishDeletion' || replacesFolder(node)) && holdsBelow(ctx, node.path)) return
  if (intent.tag === 'put' && node.local === undefined && !isKnown(ctx)) return
  // A step may have brought here what the log has deleted since, without this device knowing of it.
  if (intent.tag === 'none' && node.remote?.before !== undefined) return ctx.look(node.path)
  dispatch(ctx, node, intent)
}

/** With a new index, what is missing in it may well be on the disk: nothing is fetched before the first scan. */
const isKnown = (ctx: FolderContext): boolean => ctx.scanned || ctx.index.meta('scanned') !== undefined

const planHot = (ctx: FolderContext): void => {
  let left = AT_ONCE
  for (const path of ctx.hot) {
    if (left <= 0) return
    left -= 1
    ctx.hot.delete(path)
    planOne(ctx, ctx.index.get(path))
  }
}

const planSweep = (ctx: FolderContext): void => {
  if (ctx.sweep === undefined || !queueHasRoom(ctx)) return
  const page = ctx.index.open(ctx.sweep, AT_ONCE)
  for (const node of page) planOne(ctx, node)
  ctx.sweep = page.length < AT_ONCE ? undefined : page.at(-1)?.path
  if (ctx.sweep === undefined) forgetSettled(ctx)
}

/** A sweep does not come to paths that are in sync: what was said of them is over. */
const forgetSettled = (ctx: FolderContext): void => {
  releaseSettledHolds(ctx)
  for (const path of ctx.problems.tried) if (ctx.index.stateAt(path) === 0) ctx.problems.clear(path, 'version')
}

const retryProblems = (ctx: FolderContext): void => {
  for (const path of ctx.problems.takeDue(ctx.now)) {
    ctx.look(path)
    ctx.plan(path)
  }
}

/** Plans whatever has changed, while the workers have room; the rest waits in the index (I16). */
export const planLoop = async (ctx: FolderContext): Promise<void> => {
  while (!ctx.stopped()) {
    retryProblems(ctx)
    if (ctx.rootLost === undefined) {
      ctx.index.atomically(() => {
        planHot(ctx)
        planSweep(ctx)
      })
    }
    const more = ctx.rootLost === undefined && (ctx.hot.size > 0 || (ctx.sweep !== undefined && queueHasRoom(ctx)))
    // The approval of a root ends at rest, which nothing else may tell of.
    if (!more && rootIsApproved(ctx)) ctx.wake.publish.notify()
    ctx.wake.settled.notify()
    if (more) await ctx.deps.clock.sleep(0)
    else await ctx.wake.plan.wait(ctx.deps.clock, ctx.signal, Math.max(0, (ctx.problems.next() ?? Infinity) - ctx.now))
  }
}
