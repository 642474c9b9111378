import { describe, expect, it } from 'vitest'
import { bytesOf, creating, enrol, gatewayWorld, newPeer, updating } from '../../test/support/gateway.ts'
import { until } from '../../test/support/wait.ts'

const inside = (text: string) => ({ contents: [bytesOf(text)] })

/** Two gateways over one log; the second one follows it only where a test says so. */
const twoGateways = async (log: { readonly unreadable?: () => boolean } = {}) => {
  const world = await gatewayWorld({ shared: true, log })
  const second = await world.another()
  return { world, second, other: { ...world, gateway: second } }
}

describe('a gateway whose log others append to', () => {
  it('knows whom another gateway has enrolled a moment ago', async () => {
    const { world, other } = await twoGateways()
    const laptop = await enrol(world, 1)
    const peer = newPeer()
    const desktop = await enrol(other, 1)
    expect(await desktop.signIn(peer)).toMatchObject({ status: 200 })
    expect(await desktop.sync()).toMatchObject({ tag: 'Synced', position: 0 })
    expect(desktop.folder).toBe(laptop.folder)
  })

  it('I10: reads the log to its end before it tells an agent that there is less than the agent knows', async () => {
    const { world, other } = await twoGateways()
    const laptop = await enrol(world, 1)
    const desktop = await enrol(other, 2)
    for (const name of ['a', 'b', 'c']) await laptop.change([creating(name, name)], inside(name))
    expect(await desktop.sync(0)).toMatchObject({ head: 0 })
    expect(await desktop.sync(3)).toMatchObject({ position: 3, head: 3, entries: [] })
    expect(await desktop.sync(0)).toMatchObject({ head: 3 })
  })

  it('I10: answers 503 where it cannot find out', async () => {
    let unreadable = false
    const { world, other } = await twoGateways({ unreadable: () => unreadable })
    const laptop = await enrol(world, 1)
    const desktop = await enrol(other, 2)
    await laptop.change([creating('a', 'a')], inside('a'))
    unreadable = true
    expect(await desktop.sync(1)).toMatchObject({ tag: 'Refused', status: 503 })
    expect(await desktop.signIn(newPeer())).toMatchObject({ tag: 'Refused', status: 503 })
  })

  it('follows what the other one appends, tells the agents that are here, and has the contents', async () => {
    const { world, second, other } = await twoGateways()
    const laptop = await enrol(world, 1)
    const desktop = await enrol(other, 2)
    const stop = new AbortController()
    const followed = second.follow(stop.signal)
    world.told.length = 0
    const large = 'x'.repeat(100_000)
    await laptop.change([creating('a', large)], inside(large))
    await until('the other gateway to tell of it', () =>
      world.told.some(({ folder, position, keys }) => folder === desktop.folder && position === 1 && keys.includes(desktop.key)),
    )
    expect(await desktop.sync(0)).toMatchObject({ head: 1, entries: [{ path: 'a' }] })
    expect(second.deps.followed.versionAt(desktop.folder, 1)).toMatchObject({ path: 'a' })
    expect(await desktop.change([updating('a', 'two', 1)], inside('two'))).toMatchObject({ outcomes: [{ status: 200, revision: 2 }] })
    stop.abort()
    expect(await followed).toBeUndefined()
    expect(world.faults).toEqual([])
  })

  it('cuts off an agent at once that was revoked at the other one', async () => {
    const { world, second, other } = await twoGateways()
    const laptop = await enrol(world, 1)
    const desktop = await enrol(other, 2)
    const stop = new AbortController()
    void second.follow(stop.signal)
    await laptop.sync()
    expect((await laptop.ask({ tag: 'RevokeAgent', key: laptop.key, target: desktop.key, reason: 'lost' })).answer).toMatchObject({
      status: 200,
    })
    await until('both gateways to cut it off', () => world.cut.filter((key) => key === desktop.key).length === 2)
    expect(await desktop.sync()).toMatchObject({ tag: 'Refused', status: 403, code: 'revoked' })
    stop.abort()
  })

  it('I5: a message that the other one appended gets its first answer again', async () => {
    const { world, other } = await twoGateways()
    const laptop = await enrol(world, 1)
    const again = await enrol(other, 1)
    const message = laptop.sign([creating('a', 'one')], inside('one'))
    const first = await laptop.send(message)
    expect(first).toMatchObject({ status: 200, position: 1 })
    expect(await again.send(message)).toMatchObject({ status: 200, position: 1, outcomes: [{ status: 200, revision: 1 }] })
    expect(world.storage.all.filter(({ type }) => type === 'FileCreated')).toHaveLength(1)
  })

  it('both decide over what the other one appended, whichever was first', async () => {
    const { world, second, other } = await twoGateways()
    const laptop = await enrol(world, 1)
    const desktop = await enrol(other, 2)
    const stop = new AbortController()
    const following = [world.gateway.follow(stop.signal), second.follow(stop.signal)]
    const rounds = Array.from({ length: 20 }, (_, round) => round)
    const answers = await Promise.all(
      [laptop, desktop].map(async (device, side) => {
        for (const round of rounds) {
          const name = `${side} ${round}`
          expect(await device.change([creating(name, name)], inside(name))).toMatchObject({ status: 200, outcomes: [{ status: 200 }] })
        }
      }),
    )
    expect(answers).toHaveLength(2)
    const revisions = world.storage.all.filter(({ type }) => type === 'FileCreated').map(({ revision }) => revision)
    expect(revisions).toEqual(Array.from({ length: 40 }, (_, index) => index + 1))
    stop.abort()
    expect(await Promise.all(following)).toEqual([undefined, undefined])
    expect(world.faults).toEqual([])
  })
})
