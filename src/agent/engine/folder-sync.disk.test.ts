import { closeSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { failing, path } from '../../../test/support/disk.ts'
import { conflictsOf, EngineWorld, expectSame, type EngineDevice } from '../../../test/support/engine-world.ts'
import { fastClock } from '../../../test/support/fast-clock.ts'
import { until } from '../../../test/support/wait.ts'
import { OWN } from '../disk/own.ts'

describe('folders that should go', () => {
  it('keep what is ignored, at any depth, and say so', async () => {
    const { world, a, b } = await EngineWorld.pair()
    a.write('.eventsyncignore', 'build/\n')
    a.write('d/e/file', 'x')
    await expectSame(world)
    b.write('d/e/build/out', 'ignored')
    a.remove('d')
    await world.settle()
    await b.until('the folders to be given up', ({ inSync }) => inSync)
    expect(b.paths).toEqual(['.eventsyncignore', 'd', 'd/e', 'd/e/build', 'd/e/build/out'])
    expect(b.sync.status().problems.map(({ path }) => path)).toEqual(['d/e', 'd'])
    expect(a.paths).toEqual(['.eventsyncignore'])
  })

  it('move aside where a file takes the name, with what was edited and added in them', async () => {
    const { world, a, b } = await EngineWorld.pair()
    a.write('d/e/one', 'x')
    a.write('d/e/two', 'y')
    await expectSame(world)
    await a.stop()
    a.append('d/e/one', ', edited')
    a.write('d/e/f/new', 'z')
    b.remove('d')
    b.write('d', 'a file')
    await b.settle()
    a.start()
    await a.until('the folder to move aside', () => conflictsOf(a).length > 0)
    await expectSame(world)
    expect(b.text('d')).toBe('a file')
    const [folder] = conflictsOf(b)
    expect([b.text(`${folder}/e/one`), b.text(`${folder}/e/f/new`)]).toEqual(['x, edited', 'z'])
  })

  it('stay where something was added in them', async () => {
    const { world, a, b } = await EngineWorld.pair()
    a.write('d/e/one', 'x')
    await expectSame(world)
    await a.stop()
    a.write('d/e/new', 'z')
    b.remove('d')
    await b.settle()
    a.start()
    await a.settle()
    await expectSame(world)
    expect(b.paths).toEqual(['d', 'd/e', 'd/e/new'])
  })
})

describe('a file that was put in place and is not recorded yet', () => {
  const hint = (device: EngineDevice): void => device.watch.hint({ tag: 'path', path: path('f') })

  /** Nothing scans: what happens on B while the file becomes durable there is found by hints alone. */
  const onceDurable = async (then: (b: EngineDevice) => void): Promise<{ readonly world: EngineWorld; readonly a: EngineDevice }> => {
    const world = await EngineWorld.create()
    const a = await world.device()
    let done = false
    const b = await world.device({
      fs: (real) => ({
        ...real,
        fsyncDirectory: (directory) => {
          real.fsyncDirectory(directory)
          if (done || !b.paths.includes('f')) return
          done = true
          then(b)
          hint(b)
        },
      }),
    })
    a.start()
    b.start()
    await world.settle()
    a.write('f', 'x')
    hint(a)
    await until('B to have the file', () => done && b.sync.status().inSync)
    return { world, a }
  }

  it('and is edited, is found edited', async () => {
    const { a } = await onceDurable((b) => b.append('f', ', edited'))
    await until('A to have the edit', () => a.text('f') === 'x, edited')
  })

  it('and is removed, is found removed', async () => {
    const { a } = await onceDurable((b) => b.remove('f'))
    await until('A to lose the file', () => a.paths.length === 0)
  })

  it('and is only hinted at, is no news', async () => {
    const { world } = await onceDurable(() => undefined)
    expect(world.events).toEqual(['FolderCreated', 'FileCreated'])
  })
})

describe('what cannot be looked at', () => {
  it('a folder that cannot be listed is a problem until it can, and then it is looked into', async () => {
    let closed = false
    const world = await EngineWorld.create()
    const a = await world.device({ fs: (real) => failing(real, 'readdir', 'EACCES', (path) => closed && path === 'd') })
    const b = await world.device()
    a.start()
    b.start()
    a.write('d/one', 'x')
    await expectSame(world)
    closed = true
    a.write('d/two', 'y')
    await a.settle()
    await a.until('the retry of the folder', ({ problems }) => problems.length === 1)
    await a.settle()
    expect(a.sync.status()).toMatchObject({ inSync: false, problems: [{ path: 'd' }] })
    closed = false
    await a.until('the folder to be looked into', ({ inSync, problems }) => inSync && problems.length === 0)
    await b.settle()
    expect(b.paths).toEqual(['d', 'd/one', 'd/two'])
  })

  it('a file that cannot be read is a problem until it is gone', async () => {
    let closed = true
    const world = await EngineWorld.create()
    const a = await world.device({ fs: (real) => failing(real, 'open', 'EACCES', (path) => closed && path === 'file') })
    a.start()
    a.write('file', 'x')
    a.write('other', 'y')
    await a.settle()
    expect(a.sync.status()).toMatchObject({ inSync: false, problems: [{ path: 'file' }] })
    expect(world.events).toEqual(['FolderCreated', 'FileCreated'])
    a.remove('file')
    await a.settle()
    expect(a.sync.status()).toMatchObject({ inSync: true, problems: [] })
    a.write('file', 'x')
    await a.settle()
    closed = false
    await a.until('the file to be sent', ({ inSync }) => inSync)
  })

  it('I15: a root that goes away and comes back says so once, and nothing else', async () => {
    const { world, a, b } = await EngineWorld.pair()
    a.write('d/one', 'x')
    a.write('two', 'y')
    await expectSame(world)
    renameSync(a.folder, `${a.folder}-away`)
    onTestFinished(() => rmSync(`${a.folder}-away`, { recursive: true, force: true }))
    a.hint('d', 'd/one', 'two')
    await a.until('the root to be missed', ({ held }) => held.length === 1)
    b.write('three', 'z')
    await b.settle()
    expect(a.sync.status().problems).toEqual([])
    expect(b.paths).toEqual(['d', 'd/one', 'three', 'two'])
    renameSync(`${a.folder}-away`, a.folder)
    await a.until('the root to be found again', ({ inSync }) => inSync)
    await expectSame(world)
    expect(a.reportsOf('held')).toHaveLength(1)
  })

  it('a root that has kept its marker and lost the rest of what is its own', async () => {
    const { world, a, b } = await EngineWorld.pair()
    a.write('one', 'x')
    await expectSame(world)
    b.remove(OWN.stages)
    b.remove(OWN.graves)
    a.write('one', 'edited')
    a.write('two', 'y')
    await expectSame(world)
  })

  it('a path that becomes ignored is no problem any more', async () => {
    const world = await EngineWorld.create()
    const a = await world.device({ fs: (real) => failing(real, 'open', 'EACCES', (path) => path === 'd/file') })
    a.start()
    a.write('d/file', 'x')
    await a.settle()
    expect(a.sync.status().problems).toHaveLength(1)
    a.write('.eventsyncignore', 'file\n')
    await a.settle()
    await a.until('the problem to be forgotten', ({ inSync, problems }) => inSync && problems.length === 0)
  })

  it('rules of an ignore file that came from elsewhere, and went', async () => {
    const { world, a, b } = await EngineWorld.pair()
    a.write('.eventsyncignore', '*.log\n')
    await expectSame(world)
    b.write('x.log', 'ignored')
    b.hint('x.log')
    await world.settle()
    expect(world.events).toEqual(['FolderCreated', 'FileCreated'])
    a.remove('.eventsyncignore')
    await a.settle()
    await b.until('the file to be found', ({ inSync }) => inSync && world.events.length === 4)
    await expectSame(world)
    expect(a.paths).toEqual(['x.log'])
  })
})

const writeThrough = (fd: number, text: string): void => {
  writeSync(fd, text)
  closeSync(fd)
}

/** What a device has buried, looked at ten times as soon. */
const buryingPair = async () => EngineWorld.pair({ clock: fastClock(10) })

const buried = (device: EngineDevice): number => readdirSync(device.at(OWN.graves)).length

describe('I3: what was replaced or removed while a program had it open', () => {
  it('becomes a conflict copy where it was written to afterwards', async () => {
    const { world, a, b } = await buryingPair()
    a.write('replaced', 'x')
    a.write('removed', 'y')
    await expectSame(world)
    const [replaced, removed] = [openSync(b.at('replaced'), 'a'), openSync(b.at('removed'), 'a')]
    a.write('replaced', 'new')
    a.remove('removed')
    await expectSame(world)
    writeThrough(replaced, ', late')
    writeThrough(removed, ', later')
    await until('the graves to be opened', () => buried(b) === 0)
    await expectSame(world)
    expect(conflictsOf(a).map((copy) => a.text(copy))).toEqual(['y, later', 'x, late'])
  })

  it('is gone after a while where nobody did', async () => {
    const { world, a, b } = await buryingPair()
    a.write('replaced', 'x')
    await expectSame(world)
    a.write('replaced', 'new')
    await expectSame(world)
    expect(buried(b)).toBe(1)
    await until('the grave to go', () => buried(b) === 0)
    await expectSame(world)
    expect(b.paths).toEqual(['replaced'])
  })

  it('an edit of a file that a move took along is an edit, and no copy', async () => {
    const { world, a, b } = await buryingPair()
    a.write('old', 'x')
    await expectSame(world)
    const inode = b.inode('old')
    a.rename('old', 'new')
    await expectSame(world)
    expect(b.inode('new')).toBe(inode)
    b.append('new', ', edited')
    await expectSame(world)
    await until('the grave to go', () => buried(b) === 0)
    await expectSame(world)
    expect(a.paths).toEqual(['new'])
    expect(a.text('new')).toBe('x, edited')
  })

  it('becomes a copy also where a move took it along, and something else took its name before it was looked at', async () => {
    const { world, a, b } = await buryingPair()
    a.write('old', 'x')
    await expectSame(world)
    a.rename('old', 'new')
    await expectSame(world)
    b.append('new', ', edited')
    b.write('other', 'another')
    b.rename('other', 'new')
    await until('the grave to be opened', () => buried(b) === 0)
    await expectSame(world)
    expect(a.text('new')).toBe('another')
    expect(conflictsOf(a).map((copy) => a.text(copy))).toEqual(['x, edited'])
  })

  it.each(['eventsync-state.json', 'eventsync-data.json'])('a directory with %s is never published, and reported', async (marker) => {
    const { world, a, b } = await EngineWorld.pair()
    a.write('d/before', 'text')
    await expectSame(world)
    for (const name of ['d/s', 'd/s/deep']) a.write(`${name}/key.pem`, 'secret')
    a.write(`d/s/${marker}`, '{}')
    a.hint('d/s/key.pem', 'd/s/deep/key.pem')
    await world.settle()
    a.hint('d/s/key.pem', 'd/s/deep/key.pem')
    await world.settle()
    expect(b.paths.filter((name) => name.includes('key') || name.includes(marker))).toEqual([])
    expect(a.sync.status().problems.find((problem) => problem.path === 'd/s')?.reason).toMatch(/never synced/)
    a.remove('d/s')
    a.hint('d/s')
    await expectSame(world)
  })

  it('what was synced before it became private is not deleted elsewhere', async () => {
    const { world, a, b } = await EngineWorld.pair()
    a.write('s/plain', 'text')
    await expectSame(world)
    a.write('s/eventsync-state.json', '{}')
    a.remove('s/plain')
    a.hint('s/plain')
    await world.settle()
    expect(b.text('s/plain')).toBe('text')
    expect(b.paths).toEqual(['s', 's/plain'])
  })
})
