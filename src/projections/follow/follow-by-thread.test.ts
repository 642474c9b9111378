import { MessageChannel } from 'node:worker_threads'
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, describe, expect, it } from 'vitest'
import { bytesOf, chunkOf, creating, enrol, gatewayWorld, updating, type World } from '../../../test/support/gateway.ts'
import { path } from '../../../test/support/memory-tree.ts'
import { openDatabase } from '../../lib/sqlite.ts'
import { followByThread } from './follow-by-thread.ts'
import { runFollower } from './follower.ts'
import { logSource } from './sources.ts'
import { openFollowTables } from './write.ts'

const inside = (text: string) => ({ contents: [bytesOf(text)] })
const stops: (() => void)[] = []
afterEach(() => stops.splice(0).forEach((stop) => stop()))

/** The follower over a world's log on this thread, behind a channel as if it were on another; it reads only while `open` says so. */
const follow = (world: World, gate: { open: boolean }, maxRecent?: number) => {
  const db = openDatabase(':memory:', { synchronous: 'OFF' })
  const { port1, port2 } = new MessageChannel()
  const { log, blobs, state } = world.gateway.deps
  const reasons: string[] = []
  const followed = followByThread(port1, db, {
    decoder: state.decoder,
    stopped: (reason) => void reasons.push(reason),
    ...(maxRecent === undefined ? {} : { maxRecent }),
  })
  const source = logSource({ ...log, readAll: (after, max) => (gate.open ? log.readAll(after, max) : async () => E.right([])) }, blobs)
  const ended = runFollower(port2, source, openFollowTables(db))
  stops.push(() => {
    followed.stop()
    void ended.then(() => port1.close())
  })
  return { followed, reasons, ended }
}

const turns = async (done: () => boolean): Promise<void> => {
  for (let count = 0; count < 1000 && !done(); count += 1) await new Promise((resolve) => setImmediate(resolve))
  expect(done()).toBe(true)
}

const noteAll = (world: World, followed: ReturnType<typeof follow>['followed'], from: number): void => {
  for (const event of world.storage.all.slice(from)) followed.note([event], () => undefined)
}

describe('projections followed by a thread', () => {
  it('answer at once for what was just appended, and the same when the thread has reached it', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const { folder } = laptop
    const gate = { open: true }
    const { followed } = follow(world, gate)
    await followed.caughtUp
    gate.open = false
    const start = world.storage.all.length
    await laptop.change([creating('a', 'one'), creating('b', 'two')], { contents: [bytesOf('one'), bytesOf('two')] })
    await laptop.change([updating('a', 'three', 1)], inside('three'))
    noteAll(world, followed, start)
    const one = chunkOf(bytesOf('one')).hash
    const ask = () => ({
      place: followed.find(one),
      named: followed.chunkSize(folder, one),
      foreign: followed.chunkSize(folder, chunkOf(bytesOf('x')).hash),
      version: followed.versionAt(folder, 1),
      none: followed.versionAt(folder, 7),
      held: [-1, 1, 2].map((since) => followed.held(folder, path('a'), since, { kind: 'file', hash: one })),
    })
    const before = ask()
    expect(before).toMatchObject({
      named: 3,
      foreign: undefined,
      version: { path: 'a', hash: one },
      none: undefined,
      held: [true, true, false],
    })
    expect(before.place).toEqual(world.gateway.deps.followed.find(one))
    gate.open = true
    noteAll(world, followed, world.storage.all.length - 1)
    await turns(() => followed.recentSize() === 0)
    expect(ask()).toEqual(before)
  })

  it('I16: an append waits while the thread is far behind', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const gate = { open: true }
    const { followed } = follow(world, gate, 3)
    await followed.caughtUp
    gate.open = false
    const start = world.storage.all.length
    await laptop.change([creating('a', 'one'), creating('b', 'two')], { contents: [bytesOf('one'), bytesOf('two')] })
    noteAll(world, followed, start)
    let through = false
    const waited = followed.room().then(() => (through = true))
    for (let count = 0; count < 50; count += 1) await new Promise((resolve) => setImmediate(resolve))
    expect(through).toBe(false)
    gate.open = true
    noteAll(world, followed, world.storage.all.length - 1)
    await waited
    expect(followed.recentSize()).toBeLessThan(3)
  })

  it('stop with a reason at an event that is not known', async () => {
    const world = await gatewayWorld()
    await enrol(world, 1)
    const last = world.storage.all.at(-1)
    if (last === undefined) throw new Error('no event')
    world.storage.all.push({ ...last, type: 'Strange', chain: 'f'.repeat(64), position: { order: last.position.order + 1n, token: 'x' } })
    const { followed, reasons, ended } = follow(world, { open: true })
    await expect(followed.caughtUp).rejects.toThrow(/does not know type Strange/)
    await ended
    expect(reasons).toHaveLength(1)
  })
})
