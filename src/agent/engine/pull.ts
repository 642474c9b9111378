import * as E from 'fp-ts/lib/Either.js'
import type { Chunk } from '../../domain/content.ts'
import { sha256 } from '../../protocol/hash.ts'
import type { Answer } from '../../protocol/messages.ts'
import { decodePage, MAX_PAGE_CONTENTS } from '../../protocol/page.ts'
import type { Envelope } from '../../transport/port.ts'
import type { FolderContext } from './context.ts'
import { call, noteFailure } from './call.ts'

/** What the gateway tells of the log from a position on. */
type LogPage = Omit<Extract<Answer, { readonly tag: 'Synced' }>, 'tag' | 'status'>

const FEW = 512
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 10_000
const ASK_EVERY_MS = 60_000
const OWN_NEWS_MS = 10

/**
 * The log has most likely grown by this device's own message: nobody waits for it here but deletions, while other devices ask the gateway for it just now.
 * So its pages gather for a moment.
 */
const isOwnNews = (ctx: FolderContext): boolean =>
  ctx.caughtUp && !ctx.pullWanted && ctx.queues.destructive.size === 0 && (ctx.outstanding !== undefined || ctx.unfinished > 0)

/** I10: the log must still hold, at this agent's position, what the agent saw there. */
const rewritten = (ctx: FolderContext, answer: LogPage): string | undefined => {
  if (ctx.position < 0) return undefined
  if (answer.head < ctx.position) return `the log ends at ${answer.head}, before position ${ctx.position}, which this device has seen`
  if (answer.since !== ctx.chain) return `the log holds something else at position ${ctx.position} than this device has seen there`
  return undefined
}

/** A page must lead on from where this device is: to follow any other would not end, or bring back what is long past. */
const leadsOn = (ctx: FolderContext, answer: LogPage): boolean => {
  const { entries, position, head, more } = answer
  const from = ctx.position
  if (position < from || position > head || (more && position === from)) return false
  return entries.every(({ version }) => version > from && version <= position)
}

/** Moves the remote tree and the position, in one transaction: where a power cut takes it, the log tells it again before anything is sent. */
const take = (ctx: FolderContext, answer: LogPage): void => {
  const { entries } = answer
  ctx.index.note(() => {
    for (const entry of entries) ctx.index.applyRemote(entry)
    ctx.index.setMeta('position', String(answer.position))
    ctx.index.setMeta('chain', answer.chain)
  })
  ctx.head = Math.max(ctx.head, answer.head)
  if (entries.length > FEW) ctx.planAll()
  else for (const entry of entries) ctx.plan(entry.path)
}

/** One page of changes; true when the log's head is reached. */
const pullPage = async (ctx: FolderContext): Promise<E.Either<string, boolean>> => {
  const { agentKey: key, folder } = ctx.deps
  ctx.pulling = true
  const reply = await call(ctx, { tag: 'Sync', key, folder, position: ctx.position, chain: ctx.chain }, ['Synced'])
  ctx.pulling = false
  if (ctx.stopped()) return E.left('stopped')
  if (E.isLeft(reply)) {
    noteFailure(ctx, reply.left)
    return E.left(reply.left.reason)
  }
  const { answer } = reply.right
  const fault = rewritten(ctx, answer)
  if (fault !== undefined) {
    ctx.fail({ tag: 'LogRewritten', reason: fault })
    return E.left(fault)
  }
  if (!leadsOn(ctx, answer)) {
    const reason = `the gateway's answer does not lead on from position ${ctx.position}`
    noteFailure(ctx, { tag: 'Later', reason })
    return E.left(reason)
  }
  take(ctx, answer)
  return E.right(!answer.more)
}

/** The contents that came along, as far as they are what they are said to be. */
const keepContents = ({ told }: FolderContext, contents: readonly Chunk[], payload: Uint8Array): void => {
  let at = 0
  for (const { hash, size } of contents) {
    const bytes = payload.subarray(at, at + size)
    at += size
    if (bytes.length === size && sha256(bytes) === hash) told.set(hash, bytes)
  }
}

/**
 * Takes a page that came with a notification as it would the answer to a Sync. Where it does not lead on from just where this device is, or anything is wrong
 * with it, it is as if it had not come: the device asks, and judges the answer.
 */
export const takeTold = (
  ctx: FolderContext,
  { position, page: { message, payload } }: { readonly position: number; readonly page: Envelope },
): void => {
  // The answer to a Sync that is under way leads on from here, too.
  if (ctx.stopped() || !ctx.caughtUp || ctx.pulling) return
  const page = decodePage(message)
  if (E.isLeft(page) || page.right.from !== ctx.position || payload.length > MAX_PAGE_CONTENTS) return
  const { since, chain, entries, contents } = page.right
  const answer: LogPage = { since, chain, entries, position, head: position, more: false }
  if (rewritten(ctx, answer) !== undefined || !leadsOn(ctx, answer)) return
  keepContents(ctx, contents, payload)
  take(ctx, answer)
  if (ctx.position >= ctx.head && !ctx.pullWanted) reachHead(ctx)
  wakeWaiters(ctx)
}

const wakeWaiters = (ctx: FolderContext): void => {
  for (const waiter of ctx.pullWaiters.splice(0)) waiter()
}

/** Follows the folder's log: at each notification, after each own message, and at each new connection. */
export const pullLoop = async (ctx: FolderContext): Promise<void> => {
  let pause = FIRST_PAUSE_MS
  let askedAt = ctx.now
  while (!ctx.stopped()) {
    if (!ctx.connected || isAtHead(ctx)) {
      await ctx.wake.pull.wait(ctx.deps.clock, ctx.signal, ASK_EVERY_MS)
      // A notification may have been lost.
      if (ctx.now - askedAt >= ASK_EVERY_MS) ctx.pullWanted = true
      continue
    }
    if (isOwnNews(ctx)) {
      await ctx.deps.clock.sleep(OWN_NEWS_MS, ctx.signal)
      if (ctx.stopped()) break
      // It came by itself.
      if (isAtHead(ctx)) continue
    }
    ctx.pullWanted = false
    const before = ctx.position
    askedAt = ctx.now
    const page = await pullPage(ctx)
    // A gateway that is behind what was heard of the log is asked again, not all the time.
    const behind = E.isRight(page) && ctx.position === before && ctx.position < ctx.head
    if (E.isRight(page) && page.right) reachHead(ctx)
    if (E.isLeft(page) || behind) {
      if (E.isLeft(page)) ctx.pullWanted = true
      await ctx.deps.clock.sleep(pause * (0.5 + ctx.deps.random()), ctx.signal)
      pause = Math.min(LONGEST_PAUSE_MS, pause * 2)
      continue
    }
    pause = FIRST_PAUSE_MS
    wakeWaiters(ctx)
  }
  wakeWaiters(ctx)
}

const isAtHead = (ctx: FolderContext): boolean => ctx.caughtUp && ctx.position >= ctx.head && !ctx.pullWanted

const reachHead = (ctx: FolderContext): void => {
  if (!ctx.caughtUp) {
    ctx.caughtUp = true
    ctx.planAll()
  }
  ctx.lastError = ctx.rootLost ?? null
  ctx.wake.publish.notify()
  ctx.wake.settled.notify()
}

/** Resolves when the remote tree holds the log up to a position, or the run ends. */
export const reach = async (ctx: FolderContext, position: number): Promise<void> => {
  ctx.head = Math.max(ctx.head, position)
  while (ctx.position < position && !ctx.stopped()) {
    const pulled = new Promise<void>((resolve) => ctx.pullWaiters.push(resolve))
    ctx.wake.pull.notify()
    await pulled
  }
}
