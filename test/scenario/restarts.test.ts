import { rmSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { writeTree } from '../support/files.ts'
import { filesIn } from '../support/tree.ts'
import { until } from '../support/wait.ts'
import { expectSame, World } from '../support/world.ts'

test('everything stops cleanly, and goes on where it was', async () => {
  await using world = await World.create()
  const [laptop, desktop] = await world.pair()
  writeTree(laptop.path(), 50)
  await expectSame(laptop, desktop)
  for (const daemon of [laptop.agent, desktop.agent, world.gateway]) expect(await daemon.stop()).toBe(0)
  writeFileSync(laptop.path('while it was off'), 'x')
  rmSync(desktop.path('d1'), { recursive: true })
  await world.startGateway()
  for (const device of [laptop, desktop]) await device.start()
  await expectSame(laptop, desktop)
  expect(laptop.tree.some((line) => line.startsWith('"while it was off"'))).toBe(true)
  expect(laptop.tree.some((line) => line.startsWith('"d1/'))).toBe(false)
})

test('the agents wait for a gateway that is away, and go on when it is back', async () => {
  await using world = await World.create()
  const [laptop, desktop] = await world.pair()
  await world.gateway.kill()
  writeFileSync(laptop.path('offline'), 'x')
  await until('the laptop to notice', async () => !(await laptop.status()).connected)
  expect(await laptop.run('status', '--json')).toMatchObject({ code: 4 })
  await world.startGateway()
  await expectSame(laptop, desktop)
})

test('I1, I5: kill -9 of the gateway and both agents, again and again in the middle of a first sync', async () => {
  await using world = await World.create()
  const laptop = await world.device('laptop')
  const desktop = await world.device('desktop')
  writeTree(laptop.path(), 1500)
  const files = filesIn(laptop.folder)
  for (const reached of [0.1, 0.3, 0.5, 0.7]) {
    for (const device of [laptop, desktop]) await device.start()
    await until(
      `${reached} of the files to arrive`,
      () => desktop.agent.lines.filter((line) => line.includes('"received"')).length > 0 || filesSoFar(desktop.folder) > files * reached,
      20,
    )
    for (const daemon of [world.gateway, laptop.agent, desktop.agent]) await daemon.kill()
    await world.startGateway()
  }
  for (const device of [laptop, desktop]) await device.start()
  await expectSame(laptop, desktop)
  expect(filesIn(desktop.folder)).toBe(files)
  expect((await world.countEvents()).get('FileCreated file')).toBe(files)
}, 90_000)

const filesSoFar = (folder: string): number => {
  try {
    return filesIn(folder)
  } catch {
    // A file may go while it is counted.
    return 0
  }
}
