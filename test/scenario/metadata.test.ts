import {
  chmodSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pathsOf } from '../support/tree.ts'
import { expectSame, World } from '../support/world.ts'

test('symlinks as links, executable bits, times and empty folders are kept, and followed when they change', async () => {
  await using world = await World.create()
  const [laptop, desktop] = await world.pair()
  mkdirSync(laptop.path('empty'))
  writeFileSync(laptop.path('script'), '#!/bin/sh\n')
  symlinkSync('script', laptop.path('link'))
  utimesSync(laptop.path('script'), 1_234_567_890.5, 1_234_567_890.123456)
  lutimesSync(laptop.path('link'), 1_234_567_890.5, 1_234_567_890.234567)
  await expectSame(laptop, desktop)
  chmodSync(desktop.path('script'), 0o755)
  utimesSync(desktop.path('script'), 1_300_000_000.5, 1_300_000_000.654321)
  rmSync(desktop.path('link'))
  symlinkSync('elsewhere', desktop.path('link'))
  rmSync(desktop.path('empty'), { recursive: true })
  await expectSame(laptop, desktop)
  expect(statSync(laptop.path('script')).mode & 0o111).not.toBe(0)
})

test('I11: a symlink to a folder elsewhere is never written through', async () => {
  await using world = await World.create()
  const [laptop, desktop] = await world.pair()
  const outside = mkdtempSync(join(world.root, 'outside-'))
  mkdirSync(laptop.path('dir'))
  writeFileSync(laptop.path('dir', 'file'), 'first')
  await expectSame(laptop, desktop)
  await desktop.agent.stop()
  rmSync(desktop.path('dir'), { recursive: true })
  symlinkSync(outside, desktop.path('dir'))
  writeFileSync(laptop.path('dir', 'file'), 'second')
  writeFileSync(laptop.path('dir', 'other'), 'new')
  await laptop.settle()
  await desktop.start()
  await expectSame(laptop, desktop)
  expect(pathsOf(outside)).toEqual([])
})

test('.eventsyncignore: what it names stays where it is', async () => {
  await using world = await World.create()
  const [laptop, desktop] = await world.pair()
  mkdirSync(laptop.path('src'))
  writeFileSync(laptop.path('.eventsyncignore'), 'build/\n*.log\n!keep.log\n')
  writeFileSync(laptop.path('src', '.eventsyncignore'), '/local\n')
  await laptop.settle()
  mkdirSync(laptop.path('build'))
  for (const path of ['build/out', 'a.log', 'keep.log', 'src/local', 'src/main', 'local']) writeFileSync(laptop.path(path), path)
  for (const device of [laptop, desktop]) await device.settle()
  expect(pathsOf(desktop.folder)).toEqual(['.eventsyncignore', 'keep.log', 'local', 'src', 'src/.eventsyncignore', 'src/main'])

  // What becomes ignored is deleted nowhere.
  writeFileSync(laptop.path('.eventsyncignore'), 'build/\n*.log\n!keep.log\nlocal\n')
  await laptop.settle()
  await desktop.settle()
  expect(readFileSync(desktop.path('local'), 'utf8')).toBe('local')
})

test('an agent that starts on a folder with rules obeys them from the first scan', async () => {
  await using world = await World.create()
  const laptop = await world.device('laptop')
  const desktop = await world.device('desktop')
  mkdirSync(laptop.path('node_modules'))
  writeFileSync(laptop.path('node_modules', 'x'), 'x')
  writeFileSync(laptop.path('.eventsyncignore'), 'node_modules\n')
  for (const device of [laptop, desktop]) await device.start()
  for (const device of [laptop, desktop]) await device.settle()
  expect(pathsOf(desktop.folder)).toEqual(['.eventsyncignore'])
  expect(await laptop.status()).toMatchObject({ inSync: true })
  await laptop.agent.stop()
  await laptop.start()
  await laptop.settle()
  expect(pathsOf(laptop.folder)).toContain('node_modules/x')
  expect(pathsOf(desktop.folder)).toEqual(['.eventsyncignore'])
})
