import type { FolderContext } from './context.ts'
import { isAtRest } from './status.ts'

const EVERY_MS = 10_000

/** Drops staged files that nothing wants any more: those that were superseded, and, when the folder rests, what an earlier run left behind. */
export const tidy = async (ctx: FolderContext): Promise<void> => {
  let leftBehind = true
  while (!ctx.stopped()) {
    await ctx.deps.clock.sleep(EVERY_MS, ctx.signal)
    if (ctx.stopped() || ctx.rootLost !== undefined) continue
    const idle = ctx.idleStages.splice(0).filter((stage) => !isWanted(ctx, stage))
    if (idle.length > 0) await ctx.deps.disk.dropStages(idle)
    if (!leftBehind || !isAtRest(ctx)) continue
    leftBehind = false
    await dropLeftovers(ctx)
  }
}

const isWanted = (ctx: FolderContext, stage: string): boolean => {
  for (const job of ctx.queues.apply.values()) if (job.tag === 'place' && job.stage === stage) return true
  return ctx.fetching.size > 0
}

const dropLeftovers = async (ctx: FolderContext): Promise<void> => {
  const { stages } = await ctx.deps.disk.leftovers()
  if (ctx.stopped() || ctx.queues.fetch.size + ctx.fetching.size + ctx.queues.apply.size > 0) return
  if (stages.length > 0) await ctx.deps.disk.dropStages(stages)
}
