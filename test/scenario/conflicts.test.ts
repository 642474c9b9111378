import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pathsOf } from '../support/tree.ts'
import { expectSame, World, type Device } from '../support/world.ts'

/** Two devices in sync on one file, both stopped. */
const apart = async (world: World): Promise<[Device, Device]> => {
  const [laptop, desktop] = await world.pair()
  writeFileSync(laptop.path('plan.txt'), 'the plan')
  await expectSame(laptop, desktop)
  for (const device of [laptop, desktop]) expect(await device.agent.stop()).toBe(0)
  return [laptop, desktop]
}

const contents = (device: Device): string[] =>
  pathsOf(device.folder)
    .map((path) => readFileSync(device.path(path), 'utf8'))
    .toSorted()

test('edited on both: both contents are on both', async () => {
  await using world = await World.create()
  const [laptop, desktop] = await apart(world)
  writeFileSync(laptop.path('plan.txt'), "the laptop's plan")
  writeFileSync(desktop.path('plan.txt'), "the desktop's plan")
  await laptop.start()
  await laptop.settle()
  await desktop.start()
  await expectSame(laptop, desktop)
  expect(contents(laptop)).toEqual(["the desktop's plan", "the laptop's plan"])
  expect(readFileSync(laptop.path('plan.txt'), 'utf8')).toBe("the laptop's plan")
  const [copy = ''] = (await desktop.status()).conflicts
  expect(copy).toMatch(/^plan \(conflict desktop \d{4}-\d\d-\d\d \d{6}\)\.txt$/)
})

test('a conflict is listed and settled by the command line', async () => {
  await using world = await World.create()
  const [laptop, desktop] = await apart(world)
  writeFileSync(laptop.path('plan.txt'), "the laptop's plan")
  writeFileSync(desktop.path('plan.txt'), "the desktop's plan")
  await laptop.start()
  await laptop.settle()
  await desktop.start()
  await expectSame(laptop, desktop)
  const listed = await desktop.run('conflicts', 'list', '--json')
  // One JSON object a line, of this form.
  const { copy, path } = JSON.parse(listed.stdout) as { readonly copy: string; readonly path: string }
  expect(path).toBe('plan.txt')
  expect(await desktop.run('conflicts', 'keep-mine', desktop.path(copy))).toMatchObject({ code: 0 })
  await expectSame(laptop, desktop)
  expect(contents(laptop)).toEqual(["the desktop's plan"])
  expect((await desktop.run('conflicts')).stdout).toContain('no conflicts')
  expect(await desktop.run('conflicts', 'keep-theirs', desktop.path('plan.txt'))).toMatchObject({ code: 2 })
  expect(existsSync(desktop.path('plan.txt'))).toBe(true)
})

test.each(['the deleter first', 'the editor first'])(
  'I4: deleted on one and edited on the other: the edit is on both (%s)',
  async (order) => {
    await using world = await World.create()
    const [laptop, desktop] = await apart(world)
    rmSync(laptop.path('plan.txt'))
    appendFileSync(desktop.path('plan.txt'), ', edited')
    for (const device of order === 'the deleter first' ? [laptop, desktop] : [desktop, laptop]) {
      await device.start()
      await device.settle()
    }
    await expectSame(laptop, desktop)
    expect(contents(laptop)).toEqual(['the plan, edited'])
    expect(pathsOf(laptop.folder)).toEqual(['plan.txt'])
  },
)

test('I13: the same edit on both is no conflict', async () => {
  await using world = await World.create()
  const [laptop, desktop] = await apart(world)
  for (const device of [laptop, desktop]) writeFileSync(device.path('plan.txt'), 'the same thought')
  for (const device of [laptop, desktop]) await device.start()
  await expectSame(laptop, desktop)
  expect(pathsOf(laptop.folder)).toEqual(['plan.txt'])
})
