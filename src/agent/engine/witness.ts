import { witnessText } from '../../protocol/signing.ts'
import { call } from './call.ts'
import type { FolderContext } from './context.ts'

const EVERY_MS = 60_000

/** Once a minute at most, and only when there is something new, tells the gateway over a signature what this agent has seen: a cut tail shows in others' words. */
export const witnessLoop = async (ctx: FolderContext): Promise<void> => {
  let told = ctx.position
  while (!ctx.stopped()) {
    await ctx.deps.clock.sleep(EVERY_MS, ctx.signal)
    const { position, chain } = ctx
    if (ctx.stopped() || !ctx.connected || !ctx.caughtUp || position <= told) continue
    const { agentKey: key, folder, signer } = ctx.deps
    await call(ctx, { tag: 'Synced', key, folder, position, chain, signature: signer.sign(witnessText(folder, position, chain)) }, ['Done'])
    told = position
  }
}
