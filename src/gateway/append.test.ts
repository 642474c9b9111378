import { describe, expect, it } from 'vitest'
import { bytesOf, creating, deleting, enrol, gatewayWorld, updating } from '../../test/support/gateway.ts'
import type { AppendOutcome } from '../eventlog/memory.ts'

const inside = (text: string) => ({ contents: [bytesOf(text)] })

/** A log whose next appends to folders have these fates. */
const fates = () => {
  const queue: AppendOutcome[] = []
  return { queue, outcome: (stream: string): AppendOutcome => (stream.startsWith('folder-') ? (queue.shift() ?? 'ok') : 'ok') }
}

describe('appending', () => {
  it.each<AppendOutcome>(['unknown-but-written', 'unknown-not-written'])(
    'I1: an outcome that is %s is asked for again, and written once',
    async (fate) => {
      const { queue, outcome } = fates()
      const world = await gatewayWorld({ log: { outcome } })
      const laptop = await enrol(world, 1)
      queue.push(fate, 'unknown-but-written', 'unknown-not-written')
      expect(await laptop.change([creating('a', 'one')], inside('one'))).toMatchObject({ status: 200, position: 1 })
      expect(world.storage.all.filter(({ type }) => type === 'FileCreated')).toHaveLength(1)
      expect(await laptop.change([updating('a', 'two', 1)], inside('two'))).toMatchObject({ outcomes: [{ status: 200, revision: 2 }] })
    },
  )

  it.each<AppendOutcome>(['unavailable', 'full'])('I5: an outcome that is unknown stays unknown while the log is %s', async (fate) => {
    const { queue, outcome } = fates()
    const world = await gatewayWorld({ log: { outcome } })
    const laptop = await enrol(world, 1)
    queue.push('unknown-but-written', fate, fate)
    expect(await laptop.change([creating('a', 'one')], inside('one'))).toMatchObject({ status: 200, position: 1 })
    expect(world.storage.all.filter(({ type }) => type === 'FileCreated')).toHaveLength(1)
  })

  it('gives up after a while, and finds out before the next append', async () => {
    const { queue, outcome } = fates()
    const world = await gatewayWorld({ log: { outcome } })
    const laptop = await enrol(world, 1)
    const message = laptop.sign([creating('a', 'one')], inside('one'))
    queue.push(...Array.from({ length: 8 }, (): AppendOutcome => 'unknown-but-written'))
    expect(await laptop.send(message)).toMatchObject({ status: 503, code: 'busy' })
    expect(await laptop.send(message)).toMatchObject({ status: 200, outcomes: [{ status: 200, revision: 1 }] })
    expect(world.storage.all.filter(({ type }) => type === 'FileCreated')).toHaveLength(1)
    expect(await laptop.open(1, [])).toMatchObject({ answer: { status: 200 } })
  })

  it.each([
    ['full', 507, 'full'],
    ['unavailable', 503, 'busy'],
  ] as const)('tells that the log is %s, and nothing is lost of the number', async (fate, status, code) => {
    const { queue, outcome } = fates()
    const world = await gatewayWorld({ log: { outcome } })
    const laptop = await enrol(world, 1)
    const message = laptop.sign([creating('a', 'one')], inside('one'))
    queue.push(fate)
    expect(await laptop.send(message)).toMatchObject({ tag: 'Refused', status, code })
    expect(await laptop.send(message)).toMatchObject({ status: 200, position: 1 })
  })

  it('while one append runs the next messages gather into one', async () => {
    const gate = Promise.withResolvers<void>()
    const appends: number[] = []
    let held = false
    const outcome = async (stream: string, events: readonly unknown[]): Promise<AppendOutcome> => {
      if (stream.startsWith('folder-') && held) {
        appends.push(events.length)
        await gate.promise
      }
      return 'ok'
    }
    const world = await gatewayWorld({ log: { outcome } })
    const devices = await Promise.all([1, 2, 3, 4, 5].map((seed) => enrol(world, seed)))
    held = true
    const answers = devices.map((device, index) => device.change([creating(`f${index}`, `text ${index}`)], inside(`text ${index}`)))
    while (appends.length === 0) await new Promise((resolve) => setImmediate(resolve))
    for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve))
    gate.resolve()
    const all = await Promise.all(answers)
    expect(all.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(appends.length).toBeLessThanOrEqual(2)
    expect(appends.reduce((sum, count) => sum + count, 0)).toBe(5)
  })

  it('two gateways over one log conflict, and decide again', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const other = { ...world, gateway: await world.another() }
    const desktop = await enrol(other, 2)
    await laptop.change([creating('a', 'one')], inside('one'))
    // The second gateway has not seen it: its append conflicts, and the change is stale then.
    expect(await desktop.change([creating('a', 'two')], inside('two'))).toMatchObject({
      outcomes: [{ status: 409, code: 'stale', present: { version: 1 } }],
    })
    expect(await desktop.change([creating('b', 'two')], inside('two'))).toMatchObject({ outcomes: [{ status: 200, revision: 2 }] })
    expect(await laptop.change([deleting('a', 1)])).toMatchObject({ outcomes: [{ status: 200, revision: 3 }] })
    expect(await desktop.change([updating('a', 'three', 1)], inside('three'))).toMatchObject({ outcomes: [{ status: 200, revision: 4 }] })
  })

  it('more events than an append holds are refused', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const deep = Array.from({ length: 900 }, (_, depth) => String(depth % 10)).join('/')
    expect(await laptop.change([creating(deep, 'x')], inside('x'))).toMatchObject({ status: 413, code: 'tooLarge' })
    expect(await laptop.change([creating('a', 'x')], inside('x'))).toMatchObject({ status: 200 })
  })
})
