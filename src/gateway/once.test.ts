import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { bytesOf, creating, deleting, enrol, gatewayWorld, updating } from '../../test/support/gateway.ts'
import { decodeMetadata } from '../protocol/event-codec.ts'
import { leafHash, merkleRoot } from '../protocol/merkle.ts'
import { verifyReceipt } from '../protocol/receipt.ts'

const inside = (text: string) => ({ contents: [bytesOf(text)] })

describe('once only', () => {
  it('I5: a message that comes again gets its first answer, and appends nothing', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const message = laptop.sign([creating('a', 'one')], inside('one'))
    const first = await laptop.send(message)
    await laptop.change([updating('a', 'two', 1)], inside('two'))
    const length = world.storage.all.length
    expect(await laptop.send(message)).toEqual(first)
    expect(world.storage.all).toHaveLength(length)
  })

  it('I5: also after a restart, when all that is known is the log', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const message = laptop.sign([creating('a', 'one'), creating('a', 'other')], { contents: [bytesOf('one'), bytesOf('other')] })
    const first = await laptop.send(message)
    await world.restart()
    await laptop.signIn()
    const length = world.storage.all.length
    expect(await laptop.send(message)).toEqual(first)
    expect(world.storage.all).toHaveLength(length)
  })

  it('gives a receipt that the pinned key vouches for', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const answer = await laptop.change([creating('a', 'one')], inside('one'))
    if (answer.tag !== 'Changed' || answer.receipt === undefined) throw new Error('no receipt')
    expect(verifyReceipt(answer.receipt, world.signer.publicKey)).toBe(true)
  })

  it("keeps the leaves of all changes that no event embeds, so that the message's root can be made again", async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    await laptop.change([creating('a', 'one')], inside('one'))
    const message = laptop.sign([creating('a', 'one'), creating('b', 'two'), deleting('none', 1)], inside('two'))
    await laptop.send(message)
    const metadata = decodeMetadata(world.storage.all.at(-1)?.metadata ?? '')
    if (E.isLeft(metadata) || metadata.right.message === undefined) throw new Error('the event keeps no message')
    const { head, refusedLeaves } = metadata.right.message
    const leaves = new Map([...refusedLeaves, [1, leafHash(message.batch.canonical[1] ?? '')] as const])
    expect([...leaves.keys()]).toEqual([0, 2, 1])
    expect(merkleRoot([0, 1, 2].flatMap((index) => leaves.get(index) ?? []))).toBe(head.root)
  })

  it('refuses a number that is spent under another root, and one that was passed over', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    await laptop.change([creating('a', 'one')], { ...inside('one'), head: { number: 5 } })
    expect(await laptop.change([creating('b', 'two')], { ...inside('two'), head: { number: 5 } })).toMatchObject({
      status: 409,
      code: 'number',
    })
    expect(await laptop.change([creating('b', 'two')], { ...inside('two'), head: { number: 4 } })).toMatchObject({
      status: 409,
      code: 'number',
    })
  })

  it('a new epoch counts from anew, and the old one stays spent', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    await laptop.change([creating('a', 'one')], { ...inside('one'), head: { number: 5 } })
    const other = { epoch: 'f'.repeat(16), number: 1 }
    expect(await laptop.change([creating('b', 'two')], { ...inside('two'), head: other })).toMatchObject({ status: 200 })
    expect(await laptop.change([creating('a', 'one')], { ...inside('one'), head: { number: 5 } })).toMatchObject({
      status: 409,
      code: 'number',
    })
  })

  it('a message that was refused whole has not used its number', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    await laptop.change([creating('a', 'one')], { ...inside('one'), head: { number: 1 } })
    const length = world.storage.all.length
    const refused = await laptop.change([creating('a', 'two')], { ...inside('two'), head: { number: 2 } })
    expect(refused).toMatchObject({
      tag: 'Changed',
      receipt: undefined,
      outcomes: [{ status: 409, code: 'stale', present: { path: 'a', version: 1 } }],
    })
    expect(world.storage.all).toHaveLength(length)
    expect(await laptop.change([creating('b', 'two')], { ...inside('two'), head: { number: 2 } })).toMatchObject({
      outcomes: [{ status: 200 }],
    })
  })

  it('I5: a late duplicate of a message that changed nothing does not act', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const desktop = await enrol(world, 2)
    await laptop.change([creating('a', 'one')], inside('one'))
    const same = desktop.sign([creating('a', 'one')], inside('one'))
    const first = await desktop.send(same)
    expect(first).toMatchObject({ outcomes: [{ status: 200, revision: 1 }] })
    await laptop.change([deleting('a', 1)])
    expect(await desktop.send(same)).toEqual(first)
    expect(await laptop.sync()).toMatchObject({ entries: [{ path: 'a', content: undefined }] })
  })

  it('the same message twice at once is appended once', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const message = laptop.sign([creating('a', 'one')], inside('one'))
    const [first, second] = await Promise.all([laptop.send(message), laptop.send(message)])
    expect(second).toEqual(first)
    expect(world.storage.all.filter(({ type }) => type === 'FileCreated')).toHaveLength(1)
  })
})
