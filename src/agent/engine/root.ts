import type { FolderContext } from './context.ts'
import { noteRootTaken, isRootToBeTaken } from './holds.ts'
import { loadRules } from './load-rules.ts'

const lose = (ctx: FolderContext, reason: string): false => {
  if (ctx.rootLost === undefined) {
    ctx.deps.report({ tag: 'held', count: ctx.index.countSynced(), reason })
    ctx.nextScan = ctx.now
  }
  ctx.rootLost = reason
  ctx.lastError = reason
  return false
}

const found = async (ctx: FolderContext): Promise<true> => {
  if (ctx.rootLost !== undefined) {
    // Where it was away since the start nobody has read them: what they name would be sent.
    await loadRules(ctx)
    ctx.deps.report({ tag: 'note', text: 'The folder is back: going on.' })
    ctx.lastError = null
    ctx.rootLost = undefined
    ctx.planAll()
    // Their loops sleep while the root is lost, with what had been handed to them before.
    for (const wake of [ctx.wake.apply, ctx.wake.publish, ctx.wake.look]) wake.notify()
  }
  return true
}

/**
 * Whether the root is the folder that was synced: there, and with the marker that this device put into it (I15). A folder that is synced for the first
 * time gets its marker here. While it is not, nothing is planned, so that an unmounted disk deletes nothing anywhere.
 */
export const rootIsHere = async (ctx: FolderContext): Promise<boolean> => {
  const marker = ctx.index.meta('marker')
  const root = await ctx.deps.disk.root()
  if (root.tag === 'missing') return lose(ctx, `the folder itself cannot be used (${root.reason}): put it back, or mount its disk`)
  if (root.tag === 'ok' && root.marker === marker) return found(ctx)
  if (isRootToBeTaken(ctx)) return mark(ctx)
  if (marker !== undefined && root.tag === 'ok') return lose(ctx, 'the folder is not the one that was synced here: its marker is another')
  if (marker !== undefined)
    return lose(ctx, 'the folder has lost its marker (.eventsync/marker): it may have been emptied, replaced or unmounted')
  return mark(ctx)
}

/** Makes the present root the folder that is synced here. */
const mark = async (ctx: FolderContext): Promise<boolean> => {
  const marker = `${ctx.deps.folder} ${ctx.deps.agentKey} ${Math.floor(ctx.deps.random() * 2 ** 48).toString(16)}`
  const error = await ctx.deps.disk.mark(marker)
  if (error !== undefined) return lose(ctx, error.reason)
  ctx.index.atomically(() => {
    ctx.index.setMeta('marker', marker)
    noteRootTaken(ctx)
  })
  return found(ctx)
}
