import { chmodSync, utimesSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { folding } from '../../../test/support/disk.ts'
import { EngineWorld, expectSame, conflictsOf } from '../../../test/support/engine-world.ts'
import { until } from '../../../test/support/wait.ts'

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

describe('what is kept of a file', () => {
  it('its bit and its time, to the microsecond, and their changes', async () => {
    const { world, a, b } = await EngineWorld.pair()
    a.write('tool', '#!/bin/sh')
    chmodSync(a.at('tool'), 0o755)
    a.write('old', 'x')
    utimesSync(a.at('old'), 1_600_000_000.123456, 1_600_000_000.123456)
    a.write('none', '')
    await expectSame(world)
    chmodSync(b.at('tool'), 0o644)
    utimesSync(b.at('old'), 1_500_000_000, 1_500_000_000)
    await expectSame(world)
    expect(a.tree.some((line) => line.includes('executable'))).toBe(false)
    expect(conflictsOf(a)).toEqual([])
  })

  it('a symlink as a link, wherever it leads, and its change into something else', async () => {
    const { world, a, b } = await EngineWorld.pair()
    a.symlink('dangling', '../outside/none')
    a.symlink('loop', 'loop')
    a.write('d/file', 'x')
    a.symlink('folder', 'd')
    await expectSame(world)
    b.remove('dangling')
    b.symlink('dangling', 'd/file')
    b.remove('folder')
    b.write('folder/file', 'no link any more')
    await expectSame(world)
    expect(a.text('dangling')).toBe('x')
  })

  it('names of all kinds', async () => {
    const { world, a } = await EngineWorld.pair()
    const names = [
      'line\nbreak',
      ' leading',
      'back\\slash',
      'é',
      'e\u0301',
      'a',
      'A',
      '😀',
      '-',
      '...',
      'x'.repeat(255),
      'con (conflict)',
      '%',
      '"',
      '\u0001',
    ]
    for (const name of names) a.write(name, `in ${name.slice(0, 9)}`)
    await expectSame(world)
    expect(a.paths).toHaveLength(names.length)
  })
})

describe('moves', () => {
  it('in swaps and cycles bring every content where it belongs', async () => {
    const { world, a, b } = await EngineWorld.pair()
    for (const name of ['one', 'two', 'three']) a.write(name, `content of ${name}`)
    await expectSame(world)
    a.rename('one', 'aside')
    a.rename('two', 'one')
    a.rename('three', 'two')
    a.rename('aside', 'three')
    await expectSame(world)
    expect(['one', 'two', 'three'].map((name) => b.text(name))).toEqual(['content of two', 'content of three', 'content of one'])
    expect(conflictsOf(b)).toEqual([])
  })

  it('of a folder move each of its files, and send no content', async () => {
    const { world, a, b } = await EngineWorld.pair()
    for (const name of ['d/one', 'd/e/two', 'd/e/three']) a.write(name, `content of ${name}`)
    await expectSame(world)
    const inode = b.inode('d/e/two')
    a.rename('d', 'moved')
    world.contentBytes = 0
    await expectSame(world)
    expect(world.contentBytes).toBe(0)
    expect(b.paths).toEqual(['moved', 'moved/e', 'moved/e/three', 'moved/e/two', 'moved/one'])
    expect(b.inode('moved/e/two')).toBe(inode)
    expect(world.events.filter((type) => type === 'FileMoved')).toHaveLength(3)
  })

  it('that only change the case of a name', async () => {
    const { world, a, b } = await EngineWorld.pair()
    a.write('Name', 'x')
    await expectSame(world)
    a.rename('Name', 'name')
    await expectSame(world)
    expect(b.paths).toEqual(['name'])
  })
})

describe('large files', () => {
  const MIB = 1024 * 1024

  it('come whole; of a later version, a copy and a move only what is new', async () => {
    const { world, a, b } = await EngineWorld.pair()
    const bytes = randomBytes(24 * MIB)
    a.write('large', bytes)
    await expectSame(world)
    expect(world.contentBytes).toBeLessThan(2 * 24 * MIB + 64 * 1024)
    world.contentBytes = 0
    a.write('large', Buffer.concat([Buffer.from('!'), bytes]))
    await expectSame(world)
    expect(world.contentBytes).toBeLessThan(2 * 3 * 4 * MIB)
    world.contentBytes = 0
    a.rename('large', 'moved')
    a.write('copy', Buffer.concat([Buffer.from('!'), bytes]))
    await expectSame(world)
    expect(world.contentBytes).toBe(0)
    expect(b.paths).toEqual(['copy', 'moved'])
  })
})

describe('what a device cannot take in', () => {
  it('is told of and left alone, and all else goes on', async () => {
    const world = await EngineWorld.create()
    const a = await world.device({ maxFileSize: 100 })
    const b = await world.device()
    a.start()
    b.start()
    execFileSync('mkfifo', [a.at('pipe')])
    writeFileSync(Buffer.concat([Buffer.from(`${a.folder}/`), Buffer.from([0x66, 0xff, 0x6f])]), 'not UTF-8')
    a.write('large', 'x'.repeat(101))
    a.write('d/fine', 'x')
    await world.settle()
    expect(b.paths).toEqual(['d', 'd/fine'])
    expect(a.sync.status()).toMatchObject({ inSync: true })
    expect(
      a.sync
        .status()
        .problems.map(({ path }) => path)
        .toSorted(),
    ).toEqual(['f\\xffo', 'large', 'pipe'])
  })

  it('I14: two names that are one here do not overwrite each other', async () => {
    const world = await EngineWorld.create()
    const a = await world.device()
    const b = await world.device({ fs: folding })
    a.start()
    b.start()
    a.write('D/inner', 'upper')
    a.write('d/inner', 'lower')
    a.write('Name', 'upper')
    a.write('name', 'lower')
    a.write('other', 'x')
    await world.settle()
    // Of the folders, too, one is there: what lies in the other cannot be, and is no reason to wait.
    await b.until('what it can hold to be there', ({ inSync, problems }) => inSync && problems.length === 3)
    expect(b.paths).toHaveLength(4)
    expect(a.paths).toEqual(['D', 'D/inner', 'Name', 'd', 'd/inner', 'name', 'other'])
    expect([a.text('Name'), a.text('name')]).toEqual(['upper', 'lower'])
  })
})

describe('ignored paths', () => {
  it('stay where they are, and are deleted nowhere when they become ignored', async () => {
    const { world, a, b } = await EngineWorld.pair()
    a.write('d/kept.log', 'x')
    a.write('d/file', 'y')
    await expectSame(world)
    a.write('d/.eventsyncignore', '*.log\n')
    await expectSame(world)
    a.remove('d/kept.log')
    a.write('d/new.log', 'z')
    await world.settle()
    expect(b.paths).toEqual(['d', 'd/.eventsyncignore', 'd/file', 'd/kept.log'])
    a.write('d/.eventsyncignore', '*.tmp\n')
    await world.settle()
    await until('the file to be sent', () => world.devices.every((device) => device.has('d/new.log')))
  })
})

describe('the status', () => {
  it('does not say in sync before the first scan and the first answer', async () => {
    const world = await EngineWorld.create()
    const a = await world.device()
    a.write('file', 'x')
    a.start()
    expect(a.sync.status()).toMatchObject({ inSync: false, connected: false, position: -1 })
    const said = new Set<string>()
    await a.until('the file to be sent', ({ inSync }) => {
      said.add(`${inSync} ${world.events.length}`)
      return inSync
    })
    expect([...said].every((each) => each === 'true 2' || each.startsWith('false'))).toBe(true)
  })

  it('says that it is cut off, and is in sync again by itself', async () => {
    const { world, a, b } = await EngineWorld.pair()
    await expectSame(world)
    world.network.cut()
    a.write('file', 'x')
    a.hint('file')
    await until('the file to arrive', () => b.has('file'))
    await expectSame(world)
  })

  it('of a device that comes later is in sync with the whole folder', async () => {
    const { world, a } = await EngineWorld.pair()
    a.write('d/one', 'x')
    a.write('two', 'y')
    await expectSame(world)
    const c = await world.device()
    c.write('two', 'y')
    c.write('three', 'z')
    c.start()
    await expectSame(world)
    expect(c.paths).toEqual(['d', 'd/one', 'three', 'two'])
    expect(conflictsOf(c)).toEqual([])
  })
})
