import type { FolderContext } from './context.ts'
import { statusOf } from './status.ts'

const EVERY_MS = 250

/** Says when the folder has come into sync, and how far a large sync is. */
export const reportLoop = async (ctx: FolderContext): Promise<void> => {
  let saidAt = -2
  while (!ctx.signal.aborted) {
    await ctx.wake.settled.wait(ctx.deps.clock, ctx.signal)
    if (ctx.signal.aborted) return
    const quiet = ctx.busy.size === 0 && ctx.hot.size === 0 && ctx.sweep === undefined
    if (quiet && ctx.position !== saidAt && statusOf(ctx).inSync) {
      saidAt = ctx.position
      ctx.deps.report({ tag: 'inSync', position: ctx.position })
    }
    await ctx.deps.clock.sleep(EVERY_MS, ctx.signal)
  }
}
