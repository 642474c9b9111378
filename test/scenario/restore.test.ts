import { execFile, execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { chanceOf } from '../fault/support/chance.ts'
import { run } from '../support/processes.ts'
import { treeOf } from '../support/tree.ts'
import { expectSame, World, type Device } from '../support/world.ts'

const MOMENTS = Number(process.env['EVENTSYNC_RESTORE_MOMENTS'] ?? 4)

const restore = (world: World, ...args: string[]) => run(['audit', 'restore', ...args, '--data', world.data], world.profile.settings)

const position = async (device: Device): Promise<string> => {
  const status: { readonly position: number } = await device.status()
  return String(status.position)
}

/** Some changes of every kind: new, edited, moved, deleted, links, executable bits, folders. */
const change = (folder: string, chance: () => number): void => {
  const pick = (): string => join(folder, `d${Math.floor(chance() * 4)}`, `f${Math.floor(chance() * 12)}`)
  for (let count = 0; count < 12; count += 1) {
    const file = pick()
    mkdirSync(join(file, '..'), { recursive: true })
    const kind = chance()
    if (kind < 0.15) rmSync(file, { force: true })
    else if (kind < 0.3 && existsSync(file)) renameSync(file, pick())
    else if (kind < 0.4) {
      rmSync(file, { force: true })
      symlinkSync(`../target ${count}`, file)
      if (chance() < 0.3) lutimesSync(file, 1_600_000_000, 1_600_000_000 + Math.floor(chance() * 1e6))
    } else {
      rmSync(file, { force: true })
      writeFileSync(file, `text ${chance()}\n`.repeat(chance() < 0.1 ? 60_000 : 3))
      if (chance() < 0.3) chmodSync(file, 0o755)
      if (chance() < 0.3) utimesSync(file, 1_600_000_000, 1_600_000_000 + Math.floor(chance() * 1e6))
    }
  }
}

describe('eventsync audit restore', () => {
  it('gives the folder as it was at each moment: the same as a copy that was taken then', async () => {
    const chance = chanceOf(7)
    await using world = await World.create()
    const [laptop, desktop] = await world.pair()
    const moments: string[] = []
    for (let moment = 0; moment < MOMENTS; moment += 1) {
      change(laptop.folder, chance)
      await expectSame(laptop, desktop)
      moments.push(await position(laptop))
      execFileSync('cp', ['-a', laptop.folder, join(world.root, `copy${moment}`)])
    }
    for (const [moment, at] of moments.entries()) {
      const to = join(world.root, `restored${moment}`)
      expect(await restore(world, '--at', at, '--to', to)).toMatchObject({ code: 0 })
      expect(treeOf(to)).toEqual(treeOf(join(world.root, `copy${moment}`)))
    }
  }, 120_000)

  it('undoes a mass deletion in the synced folder with one command, after a dry run that changes nothing', async () => {
    await using world = await World.create()
    const [laptop, desktop] = await world.pair()
    mkdirSync(laptop.path('photos'))
    for (let count = 0; count < 8; count += 1) writeFileSync(laptop.path(`photos/${count}`), `photo ${count}`)
    writeFileSync(laptop.path('kept'), 'before')
    await expectSame(laptop, desktop)
    const before = treeOf(laptop.folder).filter((line) => line.startsWith('"photos'))
    const at = await position(laptop)
    rmSync(laptop.path('photos'), { recursive: true })
    writeFileSync(laptop.path('kept'), 'edited since')
    await expectSame(laptop, desktop)
    const dry = await restore(world, 'photos', '--at', at, '--into', laptop.folder, '--dry-run')
    expect(dry).toMatchObject({ code: 0, stderr: expect.stringContaining('9 paths would be restored') as string })
    expect(existsSync(laptop.path('photos'))).toBe(false)
    expect(await restore(world, 'photos', '--at', at, '--into', laptop.folder)).toMatchObject({ code: 0 })
    await expectSame(laptop, desktop)
    expect(treeOf(desktop.folder).filter((line) => line.startsWith('"photos'))).toEqual(before)
    expect(readFileSync(desktop.path('kept'), 'utf8')).toBe('edited since')
  })

  it('takes away what is new where that is asked for, and never what is not in the history yet', async () => {
    await using world = await World.create()
    const [laptop, desktop] = await world.pair()
    writeFileSync(laptop.path('a'), 'first')
    await expectSame(laptop, desktop)
    const at = await position(laptop)
    writeFileSync(laptop.path('a'), 'second')
    writeFileSync(laptop.path('b'), 'new')
    await expectSame(laptop, desktop)
    await laptop.agent.stop()
    writeFileSync(laptop.path('a'), 'not sent yet')
    const refused = await restore(world, '--at', at, '--into', laptop.folder, '--exact')
    expect(refused).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('left  a: what is there now is not in the history yet') as string,
    })
    expect(readFileSync(laptop.path('a'), 'utf8')).toBe('not sent yet')
    expect(existsSync(laptop.path('b'))).toBe(false)
  })

  it('is done whole though nobody reads its list, and refuses what it cannot do, in words', async () => {
    await using world = await World.create()
    const laptop = await world.device('laptop')
    await laptop.start()
    mkdirSync(join(world.root, 'full'))
    writeFileSync(join(world.root, 'full', 'file'), '')
    const refusals: readonly (readonly [readonly string[], string])[] = [
      [['--to', join(world.root, 'full')], 'is not empty'],
      [['--into', join(world.root, 'full')], 'is no synced folder'],
      [[], 'say where it goes'],
      [['--to', 'x', '--exact'], '--exact goes with --into'],
      [['../x', '--to', 'x'], 'is no path inside the folder'],
    ]
    // Whoever reads the list may go away: what was asked for is done all the same.
    const whole = join(world.root, 'whole')
    for (let count = 0; count < 50; count += 1) writeFileSync(laptop.path(`f${count}`), `text ${count}`)
    await laptop.settle()
    const bin = join(import.meta.dirname, '..', '..', 'bin', 'eventsync')
    await promisify(execFile)('sh', ['-c', `"${bin}" audit restore --at 50 --to "${whole}" --data "${world.data}" | head -n 1`], {
      env: { ...process.env, ...world.profile.settings },
    })
    expect(treeOf(whole)).toHaveLength(50)
    for (const [args, reason] of refusals)
      expect(await restore(world, '--at', '0', ...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(reason) as string })
  })
})
