import { closeSync, openSync, readdirSync, renameSync, rmSync, utimesSync, writeSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { failing } from '../../../test/support/disk.ts'
import { fastClock } from '../../../test/support/fast-clock.ts'
import { until } from '../../../test/support/wait.ts'
import { OWN } from '../disk/own.ts'
import { EngineWorld, type EngineDevice } from '../../../test/support/engine-world.ts'

const expectSame = async (world: EngineWorld): Promise<void> => {
  await world.settle()
  const [first, ...others] = world.devices
  for (const other of others) expect(other.tree, other.name).toEqual(first?.tree)
  for (const device of world.devices) expect(device.sync.status(), device.name).toMatchObject({ inSync: true, pending: 0, incoming: 0, held: [], problems: [] })
}

const conflictsOf = (device: EngineDevice): string[] => device.paths.filter((path) => path.includes(' (conflict '))

describe('two devices', () => {
  it('create, edit, rename and delete', async () => {
    const { world, a, b } = await EngineWorld.pair()
    a.write('d/one', 'first')
    a.write('two', 'second')
    a.mkdir('empty')
    a.symlink('link', 'd/one')
    await expectSame(world)
    expect(b.paths).toEqual(['d', 'd/one', 'empty', 'link', 'two'])
    b.write('d/one', 'first, edited')
    b.rename('two', 'd/three')
    await expectSame(world)
    expect(a.paths).toEqual(['d', 'd/one', 'd/three', 'empty', 'link'])
    expect(world.events).toContain('FileMoved')
    a.remove('d')
    await expectSame(world)
    expect(b.paths).toEqual(['empty', 'link'])
    expect(conflictsOf(a)).toEqual([])
  })

  it('a folder that a file replaces, and back', async () => {
    const { world, a, b } = await EngineWorld.pair()
    a.write('d/one', 'x')
    a.write('d/e/two', 'y')
    await expectSame(world)
    b.remove('d')
    b.write('d', 'now a file')
    await expectSame(world)
    expect(a.paths).toEqual(['d'])
    a.remove('d')
    a.write('d/three', 'z')
    await expectSame(world)
    expect(b.paths).toEqual(['d', 'd/three'])
  })
})

describe('changes that cross', () => {
  it('an edit and a rename: the edit is at both names that people gave it', async () => {
    const { world, a, b } = await EngineWorld.pair()
    a.write('old', 'text')
    await expectSame(world)
    const stopped = world.stopNext(a, 'Changes')
    a.rename('old', 'new')
    a.hint('old', 'new')
    await stopped.arrived
    b.append('old', ', edited')
    await b.settle()
    stopped.release()
    await expectSame(world)
    expect(a.paths).toEqual(['new', 'old'])
    expect([a.text('old'), a.text('new')]).toEqual(['text, edited', 'text'])
  })

  it('I4: an edit and a deletion: the edit stays', async () => {
    const { world, a, b } = await EngineWorld.pair()
    a.write('file', 'text')
    await expectSame(world)
    await a.stop()
    await b.stop()
    a.append('file', ', edited')
    b.remove('file')
    b.start()
    await b.settle()
    a.start()
    await expectSame(world)
    expect(b.text('file')).toBe('text, edited')
    expect(conflictsOf(a)).toEqual([])
  })

  it('two edits: both stay, the second under a conflict name, made by its own device', async () => {
    const { world, a, b } = await EngineWorld.pair()
    a.write('file.txt', 'text')
    await expectSame(world)
    await a.stop()
    await b.stop()
    a.write('file.txt', 'one')
    b.write('file.txt', 'two')
    a.start()
    await a.settle()
    b.start()
    await expectSame(world)
    expect(a.text('file.txt')).toBe('one')
    expect(conflictsOf(a)).toHaveLength(1)
    expect(conflictsOf(a)[0]).toMatch(/^file \(conflict device-2 [-0-9]+ [0-9]+\)\.txt$/)
    expect(a.text(conflictsOf(a)[0] ?? '')).toBe('two')
    expect(b.sync.status().conflicts).toEqual(conflictsOf(b))
  })

  it('two edits, and then the first is deleted before the second is known to be refused', async () => {
    const { world, a, b } = await EngineWorld.pair()
    a.write('file', 'text')
    await expectSame(world)
    const stopped = world.stopNext(a, 'Changes')
    a.write('file', 'one')
    a.hint('file')
    await stopped.arrived
    const pull = world.stopNext(a, 'Sync')
    b.write('file', 'two')
    await b.settle()
    await pull.arrived
    const again = world.stopNext(a, 'Changes')
    stopped.release()
    b.remove('file')
    await b.settle()
    pull.release()
    await again.arrived
    again.release()
    await expectSame(world)
    expect(a.paths).toEqual(['file'])
    expect(b.text('file')).toBe('one')
  })

  it('a new file in a folder that a file has replaced', async () => {
    const { world, a, b } = await EngineWorld.pair()
    a.write('d/one', 'text')
    await expectSame(world)
    await a.stop()
    a.write('d/two', 'new')
    b.remove('d')
    b.write('d', 'a file')
    await b.settle()
    a.start()
    await expectSame(world)
    expect(a.text('d')).toBe('a file')
    const [folder] = conflictsOf(a)
    expect(a.text(`${folder}/two`)).toBe('new')
  })

  it('the same new file with other times: no conflict, and the times agree', async () => {
    const { world, a, b } = await EngineWorld.pair()
    await a.stop()
    await b.stop()
    a.write('file', 'same')
    b.write('file', 'same')
    utimesSync(a.at('file'), 1_600_000_000, 1_600_000_000)
    a.start()
    b.start()
    await expectSame(world)
    expect(a.paths).toEqual(['file'])
  })
})

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

describe('hints', () => {
  it('of a folder mean what is in it, too', async () => {
    const { world, a, b } = await EngineWorld.pair()
    a.write('d/one', 'x')
    await expectSame(world)
    a.write('d/two', 'y')
    a.remove('d/one')
    a.hint('d')
    await until('the change to arrive', () => b.paths.join() === 'd,d/two')
  })

  it('of a new folder mean all that is in it', async () => {
    const { world, a, b } = await EngineWorld.pair()
    await expectSame(world)
    a.write('d/e/f/one', 'x')
    a.hint('d')
    await until('the file to arrive', () => b.has('d/e/f/one'))
  })
})

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

/** A message of the device has been answered, and nothing of it is recorded yet; then its agent ends. */
const stopUnsettled = async (world: EngineWorld, device: EngineDevice, change: () => void, hint: string): Promise<void> => {
  const changes = world.stopNext(device, 'Changes')
  change()
  device.hint(hint)
  await changes.arrived
  const pull = world.stopNext(device, 'Sync')
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
})
