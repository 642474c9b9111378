import { describe, expect, it } from 'vitest'
import { containing } from '../../../test/support/disk.ts'
import { EngineWorld, expectSame, type EngineDevice } from '../../../test/support/engine-world.ts'
import { systemClock } from '../../lib/clock.ts'

const manyFiles = (device: EngineDevice, count: number, text: string): string[] => {
  const names = Array.from({ length: count }, (_, at) => `f${String(at).padStart(3, '0')}`)
  for (const name of names) device.write(name, `${text} ${name}`)
  return names
}

const countOf = (world: EngineWorld, type: string): number => world.events.filter((each) => each === type).length

describe('I15: deletions that wait for a person', () => {
  it('all files deleted: held once, told once, and sent when approved', async () => {
    const { world, a, b } = await EngineWorld.pair()
    const names = manyFiles(a, 300, 'text')
    await expectSame(world)
    for (const name of names) a.remove(name)
    await world.settle()
    expect(b.paths).toHaveLength(300)
    expect(a.sync.status()).toMatchObject({ inSync: false, held: names })
    await a.settle()
    expect(countOf(world, 'DeletionHeld')).toBe(1)
    expect(a.sync.approveDeletions()).toBe(300)
    await expectSame(world)
    expect(b.paths).toEqual([])
    expect([countOf(world, 'DeletionHeld'), countOf(world, 'DeletionApproved')]).toEqual([1, 1])
  })

  it('one of them edited elsewhere meanwhile: it comes back, and the others are held all the same', async () => {
    const { world, a, b } = await EngineWorld.pair()
    const names = manyFiles(a, 12, 'text')
    await expectSame(world)
    await a.stop()
    for (const name of names) a.remove(name)
    b.write('f003', 'edited')
    await b.settle()
    a.start()
    await world.settle()
    expect(b.paths).toEqual(names)
    expect(a.text('f003')).toBe('edited')
    expect(a.sync.status()).toMatchObject({ held: names.filter((name) => name !== 'f003') })
  })

  it('one more arrives while they vanish: those that were there are all of them', async () => {
    let frozen: number | undefined
    const clock = { ...systemClock, monotonic: () => frozen ?? systemClock.monotonic() }
    const { world, a, b } = await EngineWorld.pair({ clock })
    const names = manyFiles(a, 20, 'text')
    await expectSame(world)
    frozen = systemClock.monotonic()
    for (const name of names) b.remove(name)
    b.hint(...names)
    await b.until('all to be found gone', ({ pending }) => pending === 20)
    a.write('late', 'text')
    a.hint('late')
    const recorded = b.database.prepare("SELECT 1 FROM node WHERE path = 'late' AND base IS NOT NULL")
    await b.until('one more to arrive', () => recorded.get() !== undefined)
    frozen = undefined
    await world.settle()
    expect(a.paths).toEqual([...names, 'late'])
    expect(b.sync.status()).toMatchObject({ held: names })
  })

  it('one more arrives before a start finds that they are gone: so it is then', async () => {
    const { world, a, b } = await EngineWorld.pair()
    const names = manyFiles(a, 20, 'text')
    await expectSame(world)
    await b.stop()
    for (const name of names) b.remove(name)
    a.write('late', 'text')
    await a.settle()
    const watched = Promise.withResolvers<void>()
    const start = b.watch.start.bind(b.watch)
    // The scan waits for it.
    b.watch.start = async (hint) => {
      await watched.promise
      return start(hint)
    }
    b.start()
    const recorded = b.database.prepare("SELECT 1 FROM node WHERE path = 'late' AND base IS NOT NULL")
    await b.until('one more to arrive', () => recorded.get() !== undefined)
    watched.resolve()
    await world.settle()
    expect(a.paths).toEqual([...names, 'late'])
    expect(b.sync.status()).toMatchObject({ held: names })
  })

  it('some of many are deleted that came a moment ago: those go', async () => {
    const { world, a, b } = await EngineWorld.pair()
    const names = manyFiles(a, 40, 'text')
    await expectSame(world)
    for (const name of names.slice(12)) b.remove(name)
    await expectSame(world)
    expect(a.paths).toEqual(names.slice(0, 12))
  })

  it('what comes and goes while others are held goes everywhere, unless it is many', async () => {
    const { world, a, b } = await EngineWorld.pair()
    const names = manyFiles(a, 20, 'text')
    await expectSame(world)
    for (const name of names) a.remove(name)
    await world.settle()
    const passing = Array.from({ length: 9 }, (_, at) => `passing${at}`)
    for (const name of passing) a.write(name, name)
    await world.settle()
    expect(b.paths).toEqual([...names, ...passing])
    for (const name of passing) a.remove(name)
    await world.settle()
    expect(b.paths).toEqual(names)
    expect(a.sync.status().held).toEqual(names)
    const many = Array.from({ length: 10 }, (_, at) => `many${at}`)
    for (const name of many) a.write(name, name)
    await world.settle()
    for (const name of many) a.remove(name)
    await world.settle()
    expect(a.sync.status().held).toEqual([...names, ...many])
    expect(b.paths).toEqual([...names, ...many])
  })

  it('some of them approved: those go, the others stay held', async () => {
    const { world, a, b } = await EngineWorld.pair()
    const names = manyFiles(a, 20, 'text')
    await expectSame(world)
    for (const name of names) a.remove(name)
    await world.settle()
    expect(a.sync.approveDeletions(['f000', 'f001'])).toBe(2)
    await world.settle()
    expect(b.paths).toEqual(names.slice(2))
    expect(a.sync.status()).toMatchObject({ held: names.slice(2) })
    expect(countOf(world, 'DeletionHeld')).toBe(1)
  })

  it('files that are back need no approval', async () => {
    const { world, a } = await EngineWorld.pair()
    const names = manyFiles(a, 20, 'text')
    await expectSame(world)
    for (const name of names) a.remove(name)
    await world.settle()
    manyFiles(a, 20, 'text')
    await expectSame(world)
  })

  it('a folder put back to an older state counts', async () => {
    const { world, a, b } = await EngineWorld.pair()
    const names = manyFiles(a, 12, 'old')
    await expectSame(world)
    manyFiles(a, 12, 'new')
    await expectSame(world)
    manyFiles(a, 12, 'old')
    await world.settle()
    expect(b.text('f000')).toBe('new f000')
    expect(a.sync.status()).toMatchObject({ inSync: false, held: names })
    expect(countOf(world, 'DeletionHeld')).toBe(1)
    expect(a.reportsOf('held')).toMatchObject([
      { count: 12, reason: containing('all files of the folder went back to older content here') },
    ])
    a.sync.approveDeletions()
    await expectSame(world)
    expect(b.text('f000')).toBe('old f000')
  })

  it('a folder of many files that a file replaces waits as a whole', async () => {
    const { world, a, b } = await EngineWorld.pair()
    for (let at = 0; at < 12; at += 1) a.write(`d/f${at}`, `text ${at}`)
    await expectSame(world)
    a.remove('d')
    a.write('d', 'a file')
    await world.settle()
    expect(b.paths).toHaveLength(13)
    a.sync.approveDeletions()
    await expectSame(world)
    expect(b.paths).toEqual(['d'])
  })

  it('an emptied root without its marker deletes nothing until approved, and that once', async () => {
    const { world, a, b } = await EngineWorld.pair()
    const names = manyFiles(a, 12, 'text')
    await expectSame(world)
    for (const name of [...names, '.eventsync']) a.remove(name)
    await world.settle()
    expect(a.sync.status()).toMatchObject({ inSync: false, held: [''], problems: [] })
    a.sync.approveDeletions()
    await a.until('the root to be taken', ({ held }) => held.length === 0)
    await expectSame(world)
    expect(b.paths).toEqual([])
    manyFiles(a, 12, 'again')
    await expectSame(world)
    for (const name of names) a.remove(name)
    await world.settle()
    expect(a.sync.status().held).toEqual(names)
  })

  it('what came while the root had lost its marker arrives when it is approved, and nothing else has to happen', async () => {
    const { world, a, b } = await EngineWorld.pair()
    manyFiles(a, 12, 'text')
    await expectSame(world)
    a.remove('.eventsync/marker')
    b.write('late', 'text')
    await b.settle()
    await a.until('the loss to be noticed', ({ held }) => held.includes(''))
    a.sync.approveDeletions()
    await a.until('the late file to arrive', ({ inSync }) => inSync && a.has('late'))
  })

  it('the approval of a root whose files are all there ends at once: later mass deletions are held', async () => {
    const { world, a, b } = await EngineWorld.pair()
    const names = manyFiles(a, 12, 'text')
    await expectSame(world)
    a.remove('.eventsync/marker')
    await world.settle()
    expect(a.sync.approveDeletions()).toBe(12)
    const approval = a.database.prepare("SELECT 1 FROM meta WHERE key = 'approvedRoot'")
    await a.until('the approval to end', ({ held }) => held.length === 0 && approval.get() === undefined)
    for (const name of names) a.remove(name)
    await world.settle()
    expect(a.sync.status().held).toEqual(names)
    expect(b.paths).toEqual(names)
  })

  it('the approval of a root is for that one: another that comes after it must be approved as well', async () => {
    const { world, a } = await EngineWorld.pair()
    manyFiles(a, 12, 'text')
    await expectSame(world)
    a.write('.eventsync/marker', 'another')
    await world.settle()
    a.sync.approveDeletions()
    const marker = a.database.prepare("SELECT value FROM meta WHERE key = 'marker'")
    const before = marker.get()
    const approval = a.database.prepare("SELECT value FROM meta WHERE key = 'approvedRoot'")
    await a.until('the root to be marked', () => JSON.stringify(marker.get()) !== JSON.stringify(before))
    // As it is where the agent ends before all that was approved is published.
    a.database.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('approvedRoot', 'taken')").run()
    a.write('.eventsync/marker', 'the first')
    await world.settle()
    expect(approval.get()).toEqual({ value: 'taken' })
    expect(a.sync.status().held).toEqual([''])
  })

  it('many that came after others were held, and are deleted a few at a time, are held like any others', async () => {
    const { world, a, b } = await EngineWorld.pair()
    const names = (of: string, many: number): string[] => Array.from({ length: many }, (_, n) => `${of} ${n}`)
    for (const name of names('early', 10)) a.write(name, name)
    await expectSame(world)
    for (const name of names('early', 10)) a.remove(name)
    await a.settle()
    expect(a.sync.status().held).toHaveLength(10)
    const late = names('late', 120)
    for (const name of late) b.write(name, name)
    await world.settle()
    for (let at = 0; at < late.length; at += 9) {
      for (const name of late.slice(at, at + 9)) a.remove(name)
      await a.settle()
    }
    await b.settle()
    expect(a.sync.status().held.length).toBeGreaterThan(10)
    expect(b.paths.filter((name) => name.startsWith('late'))).toHaveLength(a.sync.status().held.length - 10)
  })
})
