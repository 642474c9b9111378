import { describe, expect, it } from 'vitest'
import { EngineWorld, expectSame, type EngineDevice } from '../../../test/support/engine-world.ts'

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
})
