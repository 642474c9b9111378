import { readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { pathsOf } from '../support/tree.ts'
import { expectSame, World, type Device } from '../support/world.ts'

const SAVES = 200

/** How editors save: each leaves `text` in the file `name`. */
const WAYS: readonly ((device: Device, name: string, text: string) => void)[] = [
  (device, name, text) => {
    writeFileSync(device.path(`.${name}.swp`), text)
    writeFileSync(device.path(`${name}.tmp`), text)
    renameSync(device.path(`${name}.tmp`), device.path(name))
    rmSync(device.path(`.${name}.swp`))
  },
  (device, name, text) => {
    truncateSync(device.path(name), 0)
    writeFileSync(device.path(name), text)
  },
  (device, name, text) => {
    renameSync(device.path(name), device.path(`${name}~`))
    writeFileSync(device.path(name), text)
    rmSync(device.path(`${name}~`))
  },
]

test.each([
  ['temporary file and rename', 0],
  ['truncate and write', 1],
  ['backup copy', 2],
])('a file saved 200 times quickly by %s: the last content everywhere, no conflict copy', async (_, way) => {
  await using world = await World.create()
  const [laptop, desktop] = await world.pair()
  writeFileSync(laptop.path('text'), 'begin')
  await expectSame(laptop, desktop)
  for (let i = 1; i <= SAVES; i += 1) {
    WAYS[way]?.(laptop, 'text', `save ${i}\n${'x'.repeat(i * 10)}`)
    await pause(i % 10)
  }
  await expectSame(laptop, desktop)
  expect(pathsOf(desktop.folder)).toEqual(['text'])
  expect(readFileSync(desktop.path('text'), 'utf8')).toMatch(new RegExp(`^save ${SAVES}\n`))
})
