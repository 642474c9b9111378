import type { FolderContext } from './context.ts'
import { statusOf } from './status.ts'

const EVERY_MS = 250
const PROGRESS_EVERY_MS = 1_000
/** To count what is left takes so small a part of the time, however much that is. */
const PAUSE_PER_COUNT = 20
/** Fewer changes than these are over before anybody would look at their progress. */
const WORTH_TELLING = 20
const BIG = 8 * 1024 * 1024

interface Left {
  readonly files: number
  readonly bytes: number
}

/** What is still to be sent or received. The sizes stand in the packed contents (index/codec.ts). */
const leftIn = (ctx: FolderContext): Left => {
  const sql = `SELECT count(*) AS files, coalesce(sum(CASE WHEN state & 2 THEN json_extract(remote, '$[1][1]') ELSE json_extract(local, '$[1][1]') END), 0) AS bytes
    FROM node WHERE state > 0`
  // An aggregate without GROUP BY always has its one row.
  return ctx.index.statement(sql).get() as unknown as Left
}

/** Says when the folder has come into sync, and how far a large sync is. */
export const reportLoop = async (ctx: FolderContext): Promise<void> => {
  let saidAt = -2
  let tellAt = -Infinity
  let most: Left = { files: 0, bytes: 0 }
  while (!ctx.stopped()) {
    await ctx.wake.settled.wait(ctx.deps.clock, ctx.signal)
    if (ctx.stopped()) return
    if (isQuiet(ctx) && ctx.position !== saidAt && statusOf(ctx).inSync) {
      saidAt = ctx.position
      most = { files: 0, bytes: 0 }
      ctx.deps.report({ tag: 'inSync', position: ctx.position })
    } else if (!isQuiet(ctx) && ctx.now >= tellAt) {
      const start = ctx.now
      most = tell(ctx, most)
      tellAt = ctx.now + Math.max(PROGRESS_EVERY_MS, PAUSE_PER_COUNT * (ctx.now - start))
    }
    await ctx.deps.clock.sleep(EVERY_MS, ctx.signal)
  }
}

const isQuiet = (ctx: FolderContext): boolean => ctx.busy.size === 0 && ctx.hot.size === 0 && ctx.sweep === undefined

/** Reports how much of the most that ever waited is done; returns that most. */
const tell = (ctx: FolderContext, before: Left): Left => {
  const left = leftIn(ctx)
  const most = { files: Math.max(before.files, left.files), bytes: Math.max(before.bytes, left.bytes) }
  if (most.files >= WORTH_TELLING || most.bytes >= BIG) {
    ctx.deps.report({
      tag: 'progress',
      filesDone: most.files - left.files,
      filesTotal: most.files,
      bytesDone: most.bytes - left.bytes,
      bytesTotal: most.bytes,
    })
  }
  return most
}
