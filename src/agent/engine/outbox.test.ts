import { describe, expect, it } from 'vitest'
import { path, temporaryFolder } from '../../../test/support/disk.ts'
import { textFile } from '../../../test/support/gateway.ts'
import type { Change } from '../../domain/change.ts'
import type { FolderId } from '../../domain/events.ts'
import { nodeFileSystem } from '../../filesystem/node.ts'
import { systemClock } from '../../lib/clock.ts'
import { openDatabase } from '../../lib/sqlite.ts'
import type { Outcome } from '../../protocol/messages.ts'
import { createKeyPair, headText, verify } from '../../protocol/signing.ts'
import { MemoryNetwork } from '../../transport/memory.ts'
import { inlineDisk } from '../disk/inline.ts'
import { FolderContext } from './context.ts'
import { answeredRows, answerRow, enqueue, newEpoch, removeRow, unansweredRow } from './outbox.ts'

const signer = createKeyPair(Buffer.alloc(32, 1))
// 32 hex digits.
const FOLDER = 'f'.repeat(32) as FolderId

const context = (database = openDatabase(':memory:', { synchronous: 'OFF' })): FolderContext => {
  const over = new AbortController()
  const end = (): void => over.abort()
  const deps = {
    disk: inlineDisk(nodeFileSystem(temporaryFolder())),
    watch: { start: async () => ({ [Symbol.asyncDispose]: async () => undefined }) },
    transport: new MemoryNetwork({ clock: systemClock }).client({ name: 'none' }),
    database,
    clock: systemClock,
    random: Math.random,
    signer,
    agentName: 'laptop',
    agentKey: signer.key,
    folder: FOLDER,
    gatewayKey: '',
    settings: { scanEverySeconds: 60, maxFileSize: 1 },
    report: end,
  }
  void deps.transport[Symbol.asyncDispose]()
  return new FolderContext(deps, over.signal, end, end)
}

const changes: readonly Change[] = [
  { tag: 'create', path: path('d/a'), content: textFile('text'), base: 'none' },
  { tag: 'update', path: path('b\n'), content: textFile('text', '-5'), base: 3 },
  { tag: 'move', from: path('x'), path: path('y'), content: { ...textFile('text'), executable: true }, base: 0 },
  { tag: 'delete', path: path('ü'), base: 7 },
  { tag: 'hold', count: 12, reason: 'all files' },
  { tag: 'approve', count: 12 },
]

const done: Outcome = { status: 200, revision: 9, path: path('d/a') }
const stale: Outcome = { status: 409, code: 'stale', reason: 'it has moved on', present: undefined }

describe('the outbox', () => {
  it('is empty at first', () => {
    const ctx = context()
    expect([unansweredRow(ctx), answeredRows(ctx)]).toEqual([undefined, []])
  })

  it('keeps a signed message as it was made, in another run too', () => {
    const database = openDatabase(':memory:', { synchronous: 'OFF' })
    const made = enqueue(context(database), changes)
    const kept = unansweredRow(context(database))
    expect(kept).toEqual(made)
    expect(kept?.batch.changes).toEqual(changes)
    expect(made.batch.head).toMatchObject({
      folder: FOLDER,
      agent: signer.key,
      number: 1,
      count: changes.length,
      previous: '',
      position: -1,
      chain: '',
    })
    expect(made.batch.head.epoch).toMatch(/^[0-9a-f]{16}$/)
    expect(verify(signer.publicKey, headText(made.batch.head), made.batch.signature)).toBe(true)
  })

  it('counts messages on, and each accepted one follows the one before', () => {
    const ctx = context()
    const first = enqueue(ctx, changes.slice(0, 1))
    answerRow(ctx, first, { outcomes: [done], position: 9, appended: true })
    const second = enqueue(ctx, changes.slice(1, 2))
    expect(second.batch.head).toMatchObject({ number: 2, previous: first.batch.head.root, epoch: first.batch.head.epoch })
    answerRow(ctx, second, { outcomes: [stale], position: 9, appended: false })
    const third = enqueue(ctx, changes.slice(2, 3))
    expect(third.batch.head).toMatchObject({ number: 3, previous: first.batch.head.root })
    // It was so already: the log does not hold it, so nothing may name it.
    answerRow(ctx, third, { outcomes: [done], position: 9, appended: false })
    expect(enqueue(ctx, changes.slice(2, 3)).batch.head).toMatchObject({ number: 4, previous: first.batch.head.root })
  })

  it('says where the agent is in the log', () => {
    const ctx = context()
    ctx.index.setMeta('position', '41')
    ctx.index.setMeta('chain', 'c'.repeat(64))
    expect(enqueue(ctx, changes).batch.head).toMatchObject({ position: 41, chain: 'c'.repeat(64) })
  })

  it('gives the unanswered one first, and answered ones until they are settled', () => {
    const ctx = context()
    const first = enqueue(ctx, changes.slice(0, 1))
    const answered = answerRow(ctx, first, { outcomes: [done], position: 9, appended: true })
    const second = enqueue(ctx, changes.slice(1, 2))
    expect(answered.answer).toEqual({ outcomes: [done], position: 9 })
    expect([unansweredRow(ctx)?.number, answeredRows(ctx)]).toEqual([second.number, [answered]])
    removeRow(ctx, first.number)
    removeRow(ctx, second.number)
    expect([unansweredRow(ctx), answeredRows(ctx)]).toEqual([undefined, []])
  })

  it('makes a new epoch, which begins without a message before it', () => {
    const ctx = context()
    const first = enqueue(ctx, changes.slice(0, 1))
    answerRow(ctx, first, { outcomes: [done], position: 9, appended: true })
    newEpoch(ctx)
    const { head } = enqueue(ctx, changes.slice(1, 2)).batch
    expect(head.epoch).not.toBe(first.batch.head.epoch)
    expect(head.previous).toBe('')
  })
})
