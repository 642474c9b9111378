import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pathsOf } from '../support/tree.ts'
import { until } from '../support/wait.ts'
import { expectSame, World, type Device } from '../support/world.ts'

const FILES = 20

const filled = async (world: World): Promise<[Device, Device]> => {
  const [laptop, desktop] = await world.pair()
  mkdirSync(laptop.path('sub'))
  for (let i = 0; i < FILES; i += 1) writeFileSync(laptop.path(i % 2 === 0 ? `f${i}` : `sub/f${i}`), `content ${i}`)
  await expectSame(laptop, desktop)
  return [laptop, desktop]
}

const removeAll = (device: Device): void => {
  for (const path of ['sub', ...pathsOf(device.folder).filter((name) => !name.includes('/') && name !== 'sub')])
    rmSync(device.path(path), { recursive: true })
}

const held = (device: Device): Promise<readonly string[]> =>
  until('deletions to be held', async () => {
    const { held: paths } = await device.status()
    return paths.length > 0 && paths
  })

test('I15: deletions of everything wait for a person, who lets them go', async () => {
  await using world = await World.create()
  const [laptop, desktop] = await filled(world)
  removeAll(laptop)
  await held(laptop)
  await desktop.settle()
  expect(pathsOf(desktop.folder)).toHaveLength(FILES + 1)
  expect(await laptop.run('status')).toMatchObject({ code: 3 })
  const listed = await laptop.run('approve-deletions', laptop.folder, '--list')
  expect(listed.stdout).toContain('sub/f1')
  expect(await laptop.run('approve-deletions', laptop.folder)).toMatchObject({ code: 0 })
  await expectSame(laptop, desktop)
  expect(pathsOf(desktop.folder)).toEqual([])
})

test('I15: a root that is gone deletes nothing, and is followed again when it is back', async () => {
  await using world = await World.create()
  const [laptop, desktop] = await filled(world)
  renameSync(laptop.folder, `${laptop.folder}.away`)
  writeFileSync(desktop.path('new'), 'meanwhile')
  expect(await held(laptop)).not.toEqual([])
  await desktop.settle()
  expect(pathsOf(desktop.folder)).toHaveLength(FILES + 2)
  renameSync(`${laptop.folder}.away`, laptop.folder)
  await until('the laptop to follow again', async () => (await laptop.status()).held.length === 0)
  await expectSame(laptop, desktop)
  expect(pathsOf(laptop.folder)).toContain('new')
})

test('I15: a root replaced by an empty one while the agent was off deletes nothing', async () => {
  await using world = await World.create()
  const [laptop, desktop] = await filled(world)
  await laptop.agent.stop()
  rmSync(laptop.folder, { recursive: true })
  expect(await laptop.run('agent', laptop.folder, '--once')).toMatchObject({ code: 3 })
  expect(existsSync(laptop.folder)).toBe(false)
  mkdirSync(laptop.folder)
  expect(await laptop.run('agent', laptop.folder, '--once')).toMatchObject({ code: 3 })
  await desktop.settle()
  expect(pathsOf(desktop.folder)).toHaveLength(FILES + 1)
})
