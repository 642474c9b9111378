import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { folderAt } from '../../src/agent/device/folders.ts'
import { DATA_MARKER } from '../../src/domain/path.ts'
import { openDatabase } from '../../src/lib/sqlite.ts'
import { writeTree } from '../support/files.ts'
import { countEvents } from '../support/log.ts'
import { run } from '../support/processes.ts'
import { pathsOf } from '../support/tree.ts'
import { expectSame, World, type Device } from '../support/world.ts'

const indexOf = (device: Device): string => folderAt(device.state, device.folder).index

/** Removes a database with what SQLite keeps beside it. */
const removeDatabase = (file: string): void => {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true })
}

const fileEvents = (world: World): number =>
  [...countEvents(join(world.data, 'log.db'))].filter(([type]) => type.startsWith('File')).reduce((sum, [, count]) => sum + count, 0)

describe("a device's state", () => {
  test('its index is gone: all is adopted anew, nothing is sent or copied, and edits made meanwhile still count', async () => {
    await using world = await World.create()
    const [laptop, desktop] = await world.pair()
    writeTree(laptop.path(), 60)
    await expectSame(laptop, desktop)
    const events = fileEvents(world)
    expect(await desktop.agent.stop()).toBe(0)
    removeDatabase(indexOf(desktop))
    await desktop.start()
    await expectSame(laptop, desktop)
    expect(fileEvents(world)).toBe(events)
    expect((await desktop.status()).conflicts).toEqual([])
    await desktop.agent.stop()
    removeDatabase(indexOf(desktop))
    writeFileSync(desktop.path('empty file'), 'an edit that the lost index never saw')
    await desktop.start()
    await expectSame(laptop, desktop)
    const contents = pathsOf(laptop.folder)
      .filter((path) => path.startsWith('empty file'))
      .map((path) => readFileSync(join(laptop.folder, path), 'utf8'))
    expect(contents).toContain('an edit that the lost index never saw')
  })

  test('an index of garbage, or of the future, is refused with what to do', async () => {
    await using world = await World.create()
    const laptop = await world.device('laptop')
    writeFileSync(laptop.path('a'), 'x')
    expect(await laptop.run('agent', laptop.folder, '--once')).toMatchObject({ code: 0 })
    const good = readFileSync(indexOf(laptop))
    removeDatabase(indexOf(laptop))
    writeFileSync(indexOf(laptop), 'this is no database, and it is long enough to be read as one: '.repeat(100))
    const garbage = await laptop.run('agent', laptop.folder, '--once')
    expect(garbage).toMatchObject({ code: 1 })
    expect(garbage.stderr).toMatch(/index\.db cannot be used: .*move it away/)
    writeFileSync(indexOf(laptop), good)
    const future = openDatabase(indexOf(laptop), { synchronous: 'OFF' })
    future.exec('PRAGMA user_version = 999')
    future.close()
    const newer = await laptop.run('agent', laptop.folder, '--once')
    expect(newer).toMatchObject({ code: 1 })
    expect(newer.stderr).toMatch(/newer version of EventSync/)
    expect(readFileSync(laptop.path('a'), 'utf8')).toBe('x')
    removeDatabase(indexOf(laptop))
    expect(await laptop.run('agent', laptop.folder, '--once')).toMatchObject({ code: 0 })
    expect(pathsOf(laptop.folder)).toEqual(['a'])
  })

  test('restored from an older copy: spent numbers make a new epoch, and what was done since is neither lost nor undone', async () => {
    await using world = await World.create()
    const [laptop, desktop] = await world.pair()
    writeFileSync(laptop.path('old'), 'first')
    writeFileSync(laptop.path('gone'), 'x')
    await expectSame(laptop, desktop)
    await laptop.agent.stop()
    cpSync(laptop.state, `${laptop.state}-copy`, { recursive: true })
    await laptop.start()
    for (let n = 0; n < 5; n += 1) {
      writeFileSync(laptop.path('old'), `edit ${n}`)
      writeFileSync(laptop.path(`new ${n}`), `${n}`)
      await laptop.settle()
    }
    rmSync(laptop.path('gone'))
    await expectSame(laptop, desktop)
    await laptop.agent.stop()
    writeFileSync(desktop.path('theirs'), 'x')
    await desktop.settle()
    rmSync(laptop.state, { recursive: true })
    cpSync(`${laptop.state}-copy`, laptop.state, { recursive: true })
    writeFileSync(laptop.path('after'), 'after the restore')
    writeFileSync(laptop.path('old'), 'edit after the restore')
    await laptop.start()
    await expectSame(laptop, desktop)
    // It cannot know any more that it has seen the last edits of this file: both contents stay.
    const [copy] = (await laptop.status()).conflicts
    expect(pathsOf(desktop.folder)).toEqual(['after', 'new 0', 'new 1', 'new 2', 'new 3', 'new 4', copy, 'old', 'theirs'])
    expect(readFileSync(desktop.path('after'), 'utf8')).toBe('after the restore')
    expect(readFileSync(desktop.path('old'), 'utf8')).toBe('edit 4')
    expect(readFileSync(desktop.path(copy ?? ''), 'utf8')).toBe('edit after the restore')
  })
})

describe("the gateway's data", () => {
  test('I10: restored from an older copy: the agents stop and say so, and no file is touched', async () => {
    await using world = await World.create()
    const [laptop, desktop] = await world.pair()
    writeFileSync(laptop.path('before'), 'x')
    await expectSame(laptop, desktop)
    await world.gateway.stop()
    cpSync(world.data, `${world.data}-copy`, { recursive: true })
    await world.startGateway()
    writeFileSync(laptop.path('after'), 'x')
    rmSync(laptop.path('before'))
    await expectSame(laptop, desktop)
    await world.gateway.stop()
    rmSync(world.data, { recursive: true })
    cpSync(`${world.data}-copy`, world.data, { recursive: true })
    writeFileSync(desktop.path('meanwhile'), 'x')
    await world.startGateway()
    for (const device of [laptop, desktop]) {
      expect(await device.agent.ended).toBe(6)
      expect(device.agent.lines.join('\n')).toMatch(/before position \d+, which this device has seen/)
      expect(await device.run('agent', device.folder, '--once')).toMatchObject({ code: 6 })
    }
    expect(pathsOf(laptop.folder)).toEqual(['after'])
    expect(pathsOf(desktop.folder)).toEqual(['after', 'meanwhile'])
    // Nor do they follow it when it has grown beyond what they have seen.
    const third = await world.device('third')
    for (let n = 0; n < 10; n += 1) writeFileSync(third.path(`third ${n}`), `${n}`)
    expect(await third.run('agent', third.folder, '--once')).toMatchObject({ code: 0 })
    const grown = await laptop.run('agent', laptop.folder, '--once')
    expect(grown).toMatchObject({ code: 6 })
    expect(grown.stderr).toMatch(/something else at position/)
    expect(pathsOf(laptop.folder)).toEqual(['after'])
  })

  test('projections that are gone, or garbage, are made again', async () => {
    await using world = await World.create()
    const [laptop, desktop] = await world.pair()
    writeTree(laptop.path(), 40)
    await expectSame(laptop, desktop)
    const projections = join(world.data, 'projections.db')
    for (const content of [undefined, 'garbage '.repeat(2000), readFileSync(projections).subarray(0, 5000)]) {
      await world.gateway.kill()
      removeDatabase(projections)
      if (content !== undefined) writeFileSync(projections, content)
      await world.startGateway()
      writeFileSync(laptop.path('after'), String(content))
      await expectSame(laptop, desktop)
    }
    const third = await world.device('third')
    await third.start()
    await expectSame(laptop, third)
  })

  test('a log with a flipped byte is refused with what is wrong, and never guessed at', async () => {
    await using world = await World.create()
    const laptop = await world.device('laptop')
    writeTree(laptop.path(), 40)
    expect(await laptop.run('agent', laptop.folder, '--once')).toMatchObject({ code: 0 })
    expect(await world.gateway.stop()).toBe(0)
    const log = join(world.data, 'log.db')
    const whole = readFileSync(log)
    const serve = () => run(['serve', '--data', world.data, '--listen', '127.0.0.1:0'], {}, 10)
    const flip = (place: number): void =>
      writeFileSync(
        log,
        whole.map((byte, at) => (at === place ? byte ^ 0x04 : byte)),
      )
    const flipInType = (): void => {
      writeFileSync(log, whole)
      const db = openDatabase(log, { synchronous: 'OFF' })
      db.exec("UPDATE events SET type = 'FileGreated' WHERE position = (SELECT max(position) FROM events WHERE type = 'FileCreated')")
      db.close()
    }
    const breaks: readonly [string, () => void, RegExp][] = [
      ['the header', () => flip(0), /log\.db is damaged.*not a database/],
      ['the first page', () => flip(100), /log\.db is damaged.*malformed/],
      ['an event', flipInType, /cannot be followed: event \d+ of folder-.* does not know type FileGreated/],
    ]
    for (const [what, broken, said] of breaks) {
      broken()
      removeDatabase(join(world.data, 'projections.db'))
      const ended = await serve()
      expect(ended.code, what).toBe(6)
      expect(ended.stderr, what).toMatch(said)
    }
    removeDatabase(log)
    writeFileSync(log, whole)
    await world.startGateway()
    expect(await laptop.run('agent', laptop.folder, '--once')).toMatchObject({ code: 0 })
  })

  test('what a newer version wrote is refused, and left as it is', async () => {
    await using world = await World.create()
    expect(await world.gateway.stop()).toBe(0)
    const log = join(world.data, 'log.db')
    const future = openDatabase(log, { synchronous: 'OFF' })
    future.exec('PRAGMA user_version = 999')
    future.close()
    const bytes = readFileSync(log)
    const serve = () => run(['serve', '--data', world.data, '--listen', '127.0.0.1:0'], {}, 10)
    const refused = await serve()
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toMatch(/format 999.*upgrade EventSync/)
    expect(refused.stderr).not.toMatch(/something went wrong inside/)
    expect(readFileSync(log).equals(bytes)).toBe(true)
    writeFileSync(join(world.data, DATA_MARKER), '{"format": 999}\n')
    const newer = await serve()
    expect(newer.code).not.toBe(0)
    expect(newer.stderr).toMatch(/newer version of EventSync \(format 999\)/)
  })
})
