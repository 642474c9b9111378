import { renameSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { failing } from '../../../test/support/disk.ts'
import { conflictsOf, EngineWorld, expectSame, withoutPage, type EngineDevice } from '../../../test/support/engine-world.ts'
import { until } from '../../../test/support/wait.ts'
import { systemClock } from '../../lib/clock.ts'

/** A message of the device has been answered, and nothing of it is recorded yet; then its agent ends. */
const stopUnsettled = async (world: EngineWorld, device: EngineDevice, change: () => void, hint: string): Promise<void> => {
  const changes = world.stopNext(device, 'Changes')
  change()
  device.hint(hint)
  await changes.arrived
  const pull = world.stopNext(device, 'Sync')
  world.telling = withoutPage
  changes.release()
  await pull.arrived
  await until('the answer to be kept', () => device.database.prepare('SELECT 1 FROM outbox WHERE outcomes IS NOT NULL').get() !== undefined)
  pull.release()
  await device.stop()
}

describe('a restart', () => {
  it('finds what happened meanwhile, on both sides', async () => {
    const { world, a, b } = await EngineWorld.pair()
    a.write('d/edited', 'x')
    a.write('d/deleted', 'y')
    a.write('d/renamed', 'z')
    await expectSame(world)
    await a.stop()
    a.append('d/edited', ', more')
    a.remove('d/deleted')
    a.rename('d/renamed', 'renamed')
    b.write('there', 'w')
    await b.settle()
    a.start()
    await expectSame(world)
    expect(b.paths).toEqual(['d', 'd/edited', 'renamed', 'there'])
    expect(world.events.filter((type) => type === 'FileMoved')).toHaveLength(1)
  })

  it('finds what it had put in place when it was killed: until the scan comes there it tries once, and calls nothing a problem', async () => {
    const placed: string[] = []
    let scan: Promise<void> | undefined
    const { world, a, b } = await EngineWorld.pair({
      disk: (real) => ({
        ...real,
        [Symbol.asyncDispose]: () => real[Symbol.asyncDispose](),
        list: async (directories) => {
          await scan
          return real.list(directories)
        },
        apply: async (steps) => {
          for (const { path } of steps) if (path.startsWith('late')) placed.push(path)
          return real.apply(steps)
        },
      }),
    })
    a.write('early', 'x')
    await expectSame(world)
    await b.stop()
    const late = Array.from({ length: 5 }, (_, n) => `late${n}`)
    for (const name of late) a.write(name, name)
    await a.settle()
    for (const name of late) b.write(name, name)
    const held = Promise.withResolvers<void>()
    scan = held.promise
    b.start()
    await until('all to have been tried', () => placed.length >= late.length)
    scan = undefined
    for (const name of ['m0', 'm1', 'm2', 'm3', 'm4']) {
      a.write(name, name)
      await a.settle()
      await until(`${name} to arrive`, () => b.has(name))
    }
    expect(placed.toSorted()).toEqual(late)
    held.resolve()
    await expectSame(world)
    expect(b.reports.filter(({ tag }) => tag === 'problem')).toEqual([])
    expect(conflictsOf(b)).toEqual([])
  })

  it('brings what was ignored, where the rules went or changed while it was off', async () => {
    const { world, a, b } = await EngineWorld.pair()
    await b.stop()
    a.write('x.log', 'x')
    a.write('y.log', 'y')
    await a.settle()
    b.write('.eventsyncignore', '*.log\n')
    b.start()
    await world.settle()
    expect([b.paths, b.sync.status().inSync]).toEqual([['.eventsyncignore'], true])
    await b.stop()
    b.write('.eventsyncignore', 'y.log\n')
    b.start()
    await world.settle()
    expect(b.paths).toEqual(['.eventsyncignore', 'x.log'])
    await b.stop()
    b.remove('.eventsyncignore')
    b.start()
    await expectSame(world)
    expect(b.paths).toEqual(['x.log', 'y.log'])
  })

  /** Files that it has just read count as settled: it does not read them again. */
  const later = { ...systemClock, wall: () => systemClock.wall() + 10_000 }

  it('sends nothing that is ignored where the root is put back only after it', async () => {
    const world = await EngineWorld.create()
    const a = await world.device({ clock: later })
    a.start()
    a.write('.eventsyncignore', 'secret\n')
    await expectSame(world)
    await a.stop()
    a.write('secret', 'x')
    const away = `${a.folder}-away`
    renameSync(a.folder, away)
    a.start()
    await a.until('the root to be missed', ({ held }) => held.length > 0)
    renameSync(away, a.folder)
    a.write('other', 'y')
    await world.settle()
    expect(a.reportsOf('sent').map(({ path }) => path)).toEqual(['.eventsyncignore', 'other'])
  })

  it('sends nothing that is ignored where the rules could not be read at first', async () => {
    let tries = 0
    const isBroken = (name: string): boolean => name === '.eventsyncignore' && tries < 1 && (tries += 1) > 0
    let isOn = false
    const world = await EngineWorld.create()
    const a = await world.device({ clock: later, fs: (real) => failing(real, 'open', 'EIO', (name) => isOn && isBroken(name)) })
    a.start()
    a.write('.eventsyncignore', 'secret\n')
    await expectSame(world)
    await a.stop()
    a.write('secret', 'x')
    isOn = true
    a.start()
    await world.settle()
    expect([tries, a.reportsOf('sent').map(({ path }) => path)]).toEqual([1, ['.eventsyncignore']])
  })

  it('changes nothing where nothing has changed', async () => {
    const { world, a, b } = await EngineWorld.pair()
    a.write('d/one', 'x')
    a.symlink('two', 'd/one')
    await expectSame(world)
    const { length } = world.events
    a.boot = 'second'
    await a.restart()
    await b.restart()
    await expectSame(world)
    expect(world.events).toHaveLength(length)
  })

  it('settles a message that was answered before it, and an edit made since is an edit of that', async () => {
    const { world, a } = await EngineWorld.pair()
    a.write('file', 'first')
    await expectSame(world)
    await stopUnsettled(world, a, () => a.write('file', 'second'), 'file')
    a.write('file', 'third')
    a.start()
    await expectSame(world)
    expect(a.paths).toEqual(['file'])
    expect(a.text('file')).toBe('third')
  })

  it('takes away what a step brought just before the end, where the log has deleted it since', async () => {
    const world = await EngineWorld.create()
    const a = await world.device()
    let broken = false
    const b = await world.device({ fs: (real) => failing(real, 'lstat', 'EIO', (name) => broken && name === 'file') })
    a.start()
    b.start()
    await expectSame(world)
    broken = true
    a.write('file', 'text')
    await a.settle()
    await until('the file to be there, and the step to seem to have failed', () => b.has('file') && b.reportsOf('problem').length > 0)
    await b.stop()
    broken = false
    a.remove('file')
    await a.settle()
    b.start()
    await expectSame(world)
    expect(b.paths).toEqual([])
  })

  it('I17: after a power cut what is left of a file does not replace what was sent of it', async () => {
    const { world, a } = await EngineWorld.pair()
    a.write('file', 'first')
    await expectSame(world)
    await stopUnsettled(world, a, () => a.write('file', 'second'), 'file')
    a.write('file', 'sec')
    a.boot = 'second'
    a.start()
    await expectSame(world)
    expect(a.text('file')).toBe('second')
    expect(conflictsOf(a).map((copy) => a.text(copy))).toEqual(['sec'])
  })

  it('I17: after a power cut the old content gives way to what was sent', async () => {
    const { world, a } = await EngineWorld.pair()
    a.write('file', 'first')
    await expectSame(world)
    await stopUnsettled(world, a, () => a.write('file', 'second'), 'file')
    a.write('file', 'first')
    a.boot = 'second'
    a.start()
    await expectSame(world)
    expect(a.paths).toEqual(['file'])
    expect(a.text('file')).toBe('second')
  })

  it('I17: a new file that a power cut took away comes back', async () => {
    const { world, a } = await EngineWorld.pair()
    a.write('other', 'x')
    await expectSame(world)
    await stopUnsettled(world, a, () => a.write('d/file', 'text'), 'd')
    a.remove('d')
    a.boot = 'second'
    a.start()
    await expectSame(world)
    expect(a.text('d/file')).toBe('text')
  })

  it('I17: a deleted file that a power cut brought back goes again', async () => {
    const { world, a, b } = await EngineWorld.pair()
    a.write('file', 'text')
    a.write('other', 'x')
    await expectSame(world)
    await stopUnsettled(world, a, () => a.remove('file'), 'file')
    a.write('file', 'text')
    a.boot = 'second'
    a.start()
    await expectSame(world)
    expect(b.paths).toEqual(['other'])
  })
})
