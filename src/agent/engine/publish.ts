import * as E from 'fp-ts/lib/Either.js'
import type { Hash } from '../../domain/content.ts'
import type { Answer } from '../../protocol/messages.ts'
import { call, type CallError, noteFailure } from './call.ts'
import type { FolderContext } from './context.ts'
import { type Gathered, gather, quietAt } from './gather.ts'
import { answeredRows, answerRow, enqueue, newEpoch, type OutboxRow, removeRow, unansweredRow } from './outbox.ts'
import { keepReceipt, receiptFault } from './receipts.ts'
import { finishRow, pathsOf } from './settle.ts'
import { uploadPaths } from './upload.ts'

const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 10_000
const NOTHING: Gathered['contents'] = []

/**
 * Publishes this device's changes: one message in flight, the rest gathers meanwhile (low latency when idle, bursts in few messages). A message stays in
 * the outbox until it is answered for good and settled, and is sent again, the same, after anything else.
 */
export const publishLoop = async (ctx: FolderContext): Promise<void> => {
  let pause = FIRST_PAUSE_MS
  let asked: number | undefined
  while (!ctx.stopped()) {
    if (!ctx.connected || !ctx.caughtUp || ctx.rootLost !== undefined) {
      await ctx.wake.publish.wait(ctx.deps.clock, ctx.signal)
      continue
    }
    const kept = ctx.outstanding
    const gathered = kept === undefined ? await gather(ctx) : undefined
    const row = kept ?? (gathered === undefined ? undefined : enqueue(ctx, gathered.changes))
    ctx.outstanding = row
    if (row === undefined) {
      await waitForWork(ctx)
      continue
    }
    for (const path of pathsOf(row.batch.changes)) ctx.busy.add(path)
    const delivered = await deliver(ctx, row, gathered?.contents ?? NOTHING)
    // A gateway that asks for the same contents again and again is not to be sent them all the time.
    const again = delivered === 'sentMissing' && asked === row.number
    if (delivered === 'sentMissing') asked = row.number
    if (delivered !== 'later' && !again) pause = FIRST_PAUSE_MS
    else {
      await ctx.deps.clock.sleep(pause * (0.5 + ctx.deps.random()), ctx.signal)
      pause = Math.min(LONGEST_PAUSE_MS, pause * 2)
    }
  }
}

/** Goes on with the messages of an earlier run. Their paths are busy before anything is planned. */
export const resumeOutbox = (ctx: FolderContext): void => {
  const { boot } = ctx.deps
  if (boot === undefined || boot !== ctx.index.meta('boot')) {
    ctx.index.distrust()
    ctx.index.atomically(() => {
      ctx.index.setMeta('boot', boot ?? '')
      ctx.index.setMeta('doubtfulUpTo', ctx.index.meta('number') ?? '0')
    })
  }
  ctx.doubtfulUpTo = Number(ctx.index.meta('doubtfulUpTo') ?? '0')
  ctx.outstanding = unansweredRow(ctx)
  for (const path of pathsOf(ctx.outstanding?.batch.changes ?? [])) ctx.busy.add(path)
  for (const row of answeredRows(ctx)) finish(ctx, row)
}

const waitForWork = async (ctx: FolderContext): Promise<void> => {
  ctx.wake.settled.notify()
  const at = quietAt(ctx)
  await ctx.wake.publish.wait(ctx.deps.clock, ctx.signal, at === undefined ? undefined : Math.max(1, at - ctx.now))
}

const finish = (ctx: FolderContext, row: OutboxRow): void => {
  ctx.unfinished += 1
  for (const path of pathsOf(row.batch.changes)) ctx.busy.add(path)
  ctx.run(
    finishRow(ctx, row).finally(() => {
      ctx.unfinished -= 1
      ctx.wake.publish.notify()
      ctx.wake.settled.notify()
    }),
  )
}

const requestFor = (ctx: FolderContext, row: OutboxRow, contents: Gathered['contents']) => {
  const batch = { ...row.batch, contents: contents.map(({ chunk }) => chunk) }
  return { tag: 'Changes' as const, key: ctx.deps.agentKey, batch }
}

/** What became of sending a message: it is over, it is to be sent again now that its contents are there, or after a pause. */
type Delivered = 'over' | 'sentMissing' | 'later'

const deliver = async (ctx: FolderContext, row: OutboxRow, contents: Gathered['contents']): Promise<Delivered> => {
  const payload = contents.length === 0 ? undefined : Buffer.concat(contents.map(({ bytes }) => bytes))
  const reply = await call(ctx, requestFor(ctx, row, contents), ['Changed', 'SendChunks'], payload)
  if (ctx.stopped()) return 'over'
  if (E.isLeft(reply)) return handleFailure(ctx, row, reply.left)
  const { answer } = reply.right
  if (answer.tag === 'SendChunks') return sendMissing(ctx, row, answer.missing)
  return accept(ctx, row, contents, answer)
}

const accept = (
  ctx: FolderContext,
  row: OutboxRow,
  contents: Gathered['contents'],
  answer: Extract<Answer, { tag: 'Changed' }>,
): Delivered => {
  if (answer.outcomes.length !== row.batch.changes.length) {
    noteFailure(ctx, { tag: 'Later', reason: 'the gateway answered for another number of changes than were sent' })
    return 'later'
  }
  const fault = receiptFault(ctx.deps, row.batch.head.root, answer)
  if (fault !== undefined) {
    ctx.fail({ tag: 'Refused', reason: fault })
    return 'later'
  }
  for (const { chunk } of contents) ctx.bytes.delete(chunk.hash)
  ctx.wake.room.notify()
  // Where a power cut takes it, the message is sent again, and answered the same (I5).
  const answered = ctx.index.note(() => {
    keepReceipt(ctx.index, row.number, answer.receipt)
    return answerRow(ctx, row, { outcomes: answer.outcomes, position: answer.position, appended: answer.receipt !== undefined })
  })
  ctx.outstanding = undefined
  finish(ctx, answered)
  return 'over'
}

const sendMissing = async (ctx: FolderContext, row: OutboxRow, missing: readonly Hash[]): Promise<Delivered> => {
  const named = row.batch.changes.flatMap((change) => ('content' in change ? [change.path] : []))
  const outcome = await uploadPaths(ctx, named, new Set(missing))
  if (outcome !== 'changed') return outcome === 'sent' ? 'sentMissing' : 'later'
  abandon(ctx, row)
  return 'over'
}

/** Its contents are not on the disk any more: the message was never appended (or it would have been answered), so it is dropped and planned anew. */
const abandon = (ctx: FolderContext, row: OutboxRow): void => {
  removeRow(ctx, row.number)
  ctx.outstanding = undefined
  for (const path of pathsOf(row.batch.changes)) {
    const content = ctx.index.get(path).local?.content
    if (content !== undefined) ctx.uploaded.delete(content.hash)
    ctx.look(path)
    ctx.release(path)
  }
}

const handleFailure = (ctx: FolderContext, row: OutboxRow, error: CallError): Delivered => {
  noteFailure(ctx, error)
  if (error.tag !== 'Refused') return 'later'
  if (error.code === 'number') {
    newEpoch(ctx)
    abandon(ctx, row)
    return 'over'
  }
  // The whole message is refused: each of its changes waits, with the reason, and is tried again with growing pauses.
  removeRow(ctx, row.number)
  ctx.outstanding = undefined
  for (const path of pathsOf(row.batch.changes)) {
    ctx.block(path, { reason: error.reason, side: 'version', permanent: false })
    ctx.release(path)
  }
  return 'over'
}
