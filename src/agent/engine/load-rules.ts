import * as E from 'fp-ts/lib/Either.js'
import { parsePath, type SyncPath } from '../../domain/path.ts'
import { IGNORE_FILE } from '../ignore-rules.ts'
import type { FolderContext } from './context.ts'

/** The scan reads it, though it may be just as it was when it was last seen. */
const readAnew = (ctx: FolderContext, path: SyncPath): void => {
  const { local } = ctx.index.get(path)
  if (local?.content.kind === 'file') ctx.index.setLocal(path, { ...local, settled: false })
}

/**
 * The rules in the ignore files that are known from before: when the agent starts, and when a root that was lost is back. So nothing that is ignored is touched,
 * or sent, before the scan comes by.
 */
export const loadRules = async (ctx: FolderContext): Promise<void> => {
  const files = ctx.index.ignoreFiles()
  for (const reading of files.length === 0 ? [] : await ctx.deps.disk.read(files)) {
    if (ctx.stopped()) return
    if (reading.tag === 'failed' || reading.tag === 'unstable') readAnew(ctx, reading.path)
    // A link's text is no list of rules.
    if (reading.tag !== 'read' || reading.content.kind !== 'file' || reading.bytes === undefined) continue
    const parent = parsePath(reading.path.slice(0, -IGNORE_FILE.length - 1))
    ctx.ignore.set(E.isRight(parent) ? parent.right : '', Buffer.from(reading.bytes).toString('utf8'))
  }
  // They may have changed, or gone, while no agent ran: what the index has passed over by the old ones is open now.
  if (!ctx.stopped() && ctx.ignore.fingerprint !== (ctx.index.meta('rules') ?? '')) ctx.refresh('')
}
