import type { Change } from '../../domain/change.ts'
import { sameBytes } from '../../domain/content.ts'
import type { SyncPath } from '../../domain/path.ts'
import { UNKNOWN_REVISION } from '../../domain/plan/trees.ts'
import type { Outcome } from '../../protocol/messages.ts'
import { adoptAll } from './adopt.ts'
import type { FolderContext } from './context.ts'
import type { Adoption } from './jobs.ts'
import { noteDeletion, releaseHold } from './holds.ts'
import { noteAbsent, noteReading } from './local-tree.ts'
import { type OutboxRow, removeRow } from './outbox.ts'
import { reach } from './pull.ts'

/** All paths that a message's changes touch: they are busy until the message is settled. */
export const pathsOf = (changes: readonly Change[]): SyncPath[] =>
  changes.flatMap((change) => {
    if (change.tag === 'hold' || change.tag === 'approve') return []
    return change.tag === 'move' ? [change.from, change.path] : [change.path]
  })

type Refused = Exclude<Outcome, { status: 200 }>
type Item = Omit<Adoption, 'done'>

/** What an accepted change leaves in sync. */
const accepted = (ctx: FolderContext, change: Change, outcome: Extract<Outcome, { status: 200 }>): Item[] => {
  if (change.tag === 'hold' || change.tag === 'approve') return []
  report(ctx, change)
  if (change.tag === 'delete') return [{ path: change.path, base: undefined }]
  const { remote } = ctx.index.get(change.path)
  // Where it was so already, the log's version may have other metadata: base says what the log says.
  const content = remote?.revision === outcome.revision && remote.content !== undefined ? remote.content : change.content
  const version = { revision: outcome.revision, content }
  const own = { path: change.path, base: version }
  if (change.tag === 'move') return [{ path: change.from, base: undefined }, own]
  // It landed where the file had been moved to: what lies here is no edit any more, and goes as the log says.
  return [own]
}

const report = (ctx: FolderContext, change: Change): void => {
  if (change.tag === 'hold' || change.tag === 'approve') return
  ctx.deps.report({ tag: 'sent', action: change.tag, path: change.path, ...(change.tag === 'move' ? { from: change.from } : {}) })
  if (change.tag === 'create') ctx.deletions.arrivals.add(change.path, { at: ctx.now, brought: false })
  if (change.tag === 'delete') noteDeletion(ctx, change.path)
  else ctx.looks.sent(change.path, ctx.now)
  releaseHold(ctx, change.path)
}

/** What a refused change leaves: a mark that leads to a conflict copy, or a base that lets the log's version come. */
const refused = (ctx: FolderContext, change: Change, outcome: Refused, position: number): Item[] => {
  if (change.tag === 'hold' || change.tag === 'approve') return []
  if (outcome.status !== 409) {
    const gone = change.tag === 'delete' && outcome.status === 404
    if (!gone) ctx.block(change.path, { reason: outcome.reason, side: 'version', permanent: outcome.status === 413 })
    return gone ? [{ path: change.path, base: undefined }] : []
  }
  if (change.tag === 'delete') return outcome.code === 'tree' ? [{ path: change.path, base: undefined }] : []
  if (outcome.code === 'known') return [{ path: change.path, base: { revision: UNKNOWN_REVISION, content: change.content } }]
  return refusedContent(ctx, change, outcome, position)
}

/** A content that the log's tree has no place for: the path moved on, or something is in the way. */
const refusedContent = (ctx: FolderContext, change: Extract<Change, { content: unknown }>, outcome: Refused, position: number): Item[] => {
  const { local, remote } = ctx.index.get(change.path)
  if (outcome.code === 'tree' && (remote?.content === undefined || ctx.index.vanishedBelow(change.path))) {
    // What is in the way has its own plan, or is about to go.
    ctx.block(change.path, { reason: outcome.reason, side: 'version', permanent: false })
    return []
  }
  // The file was moved away in the log and changed there: what lies here is a file of its own now. Asked again on that base, the gateway would
  // give the same answer for ever.
  if (change.tag === 'update' && remote?.content === undefined) return [{ path: change.path, base: undefined }]
  // With nothing in the log's tree there is nothing to conflict with (a move whose source has moved on): it is planned again.
  if (remote?.content !== undefined && local !== undefined && sameBytes(local.content, change.content))
    ctx.index.setRefused(change.path, outcome.present?.version ?? position)
  return []
}

/** Those of the items that the disk holds as they say; the others are planned by what it holds. */
const onDisk = async (ctx: FolderContext, items: readonly Item[]): Promise<readonly Item[]> => {
  const readings = await ctx.deps.disk.read(items.map(({ path }) => path))
  if (ctx.stopped()) return []
  return ctx.index.atomically(() =>
    items.filter(({ path, base }, at) => {
      const reading = readings[at]
      if (reading === undefined) return false
      if (reading.tag === 'absent') noteAbsent(ctx, path)
      else noteReading(ctx, reading)
      return reading.tag === 'read'
        ? base !== undefined && sameBytes(reading.content, base.content)
        : reading.tag === 'absent' && base === undefined
    }),
  )
}

/** After the final answer: waits until the log's tree is here, records what is in sync, and lets the paths go. */
export const finishRow = async (ctx: FolderContext, { number, batch, answer }: OutboxRow): Promise<void> => {
  if (answer === undefined) return
  await reach(ctx, answer.position)
  if (ctx.stopped()) return
  const items = ctx.index.atomically(() =>
    batch.changes.flatMap((change, at): Item[] => {
      const outcome = answer.outcomes[at]
      if (outcome === undefined) return []
      return outcome.status === 200 ? accepted(ctx, change, outcome) : refused(ctx, change, outcome, answer.position)
    }),
  )
  await adoptAll(ctx, number > ctx.doubtfulUpTo ? items : await onDisk(ctx, items))
  if (ctx.stopped()) return
  removeRow(ctx, number)
  for (const path of pathsOf(batch.changes)) ctx.release(path)
}
