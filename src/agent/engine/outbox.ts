import * as E from 'fp-ts/lib/Either.js'
import type { Change } from '../../domain/change.ts'
import { signBatch } from '../../protocol/batch.ts'
import { decodeChange } from '../../protocol/change-codec.ts'
import type { Json } from '../../protocol/json.ts'
import type { Head, Outcome, SignedBatch } from '../../protocol/messages.ts'
import type { FolderContext } from './context.ts'

/** One message of changes, from its making until all that it changed is settled here. */
export interface OutboxRow {
  readonly number: number
  readonly batch: SignedBatch
  /** The gateway's final answer, and the position at which it holds. */
  readonly answer: { readonly outcomes: readonly Outcome[]; readonly position: number } | undefined
}

interface StoredMessage {
  readonly head: Head
  readonly signature: string
  readonly timestamp: number
  readonly canonical: readonly string[]
}

interface StoredRow {
  readonly number: number
  readonly message: string
  readonly outcomes: string | null
  readonly position: number | null
}

const hex32 = (random: () => number): string =>
  Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0')

const changeOf = (text: string): Change => {
  // The text is canonical JSON that `enqueue` stored.
  const parsed = JSON.parse(text) as Json
  const change = decodeChange(parsed, 'Changes')
  if (E.isLeft(change)) throw new Error(`the outbox holds a change that cannot be read: ${change.left.reason}`)
  return change.right
}

const toRow = (row: StoredRow): OutboxRow => {
  // Written by `enqueue` and `answerRow` below.
  const stored = JSON.parse(row.message) as StoredMessage
  const outcomes = row.outcomes === null ? undefined : (JSON.parse(row.outcomes) as readonly Outcome[])
  return {
    number: row.number,
    batch: { ...stored, changes: stored.canonical.map(changeOf), contents: [] },
    answer: outcomes === undefined ? undefined : { outcomes, position: row.position ?? -1 },
  }
}

const rowsWhere = (ctx: FolderContext, condition: string): OutboxRow[] =>
  // The columns are those of the table.
  (
    ctx.index
      .statement(`SELECT number, message, outcomes, position FROM outbox WHERE ${condition} ORDER BY number`)
      .all() as unknown as StoredRow[]
  ).map(toRow)

/** The message that was made and not answered for good: it is sent again, the same, until it is. */
export const unansweredRow = (ctx: FolderContext): OutboxRow | undefined => rowsWhere(ctx, 'outcomes IS NULL').at(0)

/** Answered messages whose versions are not all recorded yet. */
export const answeredRows = (ctx: FolderContext): OutboxRow[] => rowsWhere(ctx, 'outcomes IS NOT NULL')

/** A new count of messages: the old one is spent, or this device's state was restored or copied. */
export const newEpoch = (ctx: FolderContext): void => {
  const { random } = ctx.deps
  ctx.index.setMeta('epoch', hex32(random) + hex32(random))
  ctx.index.setMeta('previous', '')
}

/**
 * Signs changes as the next message and keeps it, durably, until it is answered and settled: where a power cut took it after the gateway had it, what others
 * deleted meanwhile would be found on the disk and created again (I5).
 */
export const enqueue = (ctx: FolderContext, changes: readonly Change[]): OutboxRow => {
  if (ctx.index.meta('epoch') === undefined) newEpoch(ctx)
  const number = Number(ctx.index.meta('number') ?? '0') + 1
  const head = {
    version: 1 as const,
    folder: ctx.deps.folder,
    agent: ctx.deps.agentKey,
    epoch: ctx.index.meta('epoch') ?? '',
    number,
    // Written from a head's root, or ''.
    previous: (ctx.index.meta('previous') ?? '') as Head['previous'],
    position: ctx.position,
    chain: ctx.chain,
  }
  const batch = signBatch(head, changes, ctx.deps.signer, ctx.deps.clock.wall() / 1000, [])
  const stored: StoredMessage = { head: batch.head, signature: batch.signature, timestamp: batch.timestamp, canonical: batch.canonical }
  ctx.index.atomically(() => {
    ctx.index.setMeta('number', String(number))
    ctx.index.statement('INSERT INTO outbox (number, message) VALUES (?, ?)').run(number, JSON.stringify(stored))
  })
  return { number, batch, answer: undefined }
}

/** `appended`: whether the log holds it now (a message of which nothing is new is answered, too). The next one names it as the one before. */
export const answerRow = (
  ctx: FolderContext,
  row: OutboxRow,
  { outcomes, position, appended }: { readonly outcomes: readonly Outcome[]; readonly position: number; readonly appended: boolean },
): OutboxRow => {
  ctx.index.atomically(() => {
    if (appended) ctx.index.setMeta('previous', row.batch.head.root)
    ctx.index.statement('UPDATE outbox SET outcomes = ?, position = ? WHERE number = ?').run(JSON.stringify(outcomes), position, row.number)
  })
  return { ...row, answer: { outcomes, position } }
}

/** All that the message changed is settled. Where a power cut brings the row back, it is settled once more, which changes nothing. */
export const removeRow = (ctx: FolderContext, number: number): void =>
  ctx.index.note(() => void ctx.index.statement('DELETE FROM outbox WHERE number = ?').run(number))
