import { randomBytes, randomInt } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writeTree } from '../support/files.ts'
import { countEvents } from '../support/log.ts'
import { filesIn } from '../support/tree.ts'
import { until } from '../support/wait.ts'
import { expectSame, World, type Device } from '../support/world.ts'
import { chanceOf } from './support/chance.ts'
import { damageOf, weightOf } from './support/log-check.ts'

const FILES = 2000
const ROUNDS = 5

/** How far the sync has come, by what lies in the store and in the folder, both of which only grow: cheap to ask often. */
const progress = (world: World, device: Device): number => {
  const weight = (directory: string): number => {
    try {
      return weightOf(directory).bytes
    } catch {
      // Something went while it was counted.
      return 0
    }
  }
  return weight(world.data) + weight(device.folder)
}

test('I1, I5, I6: kill -9 of gateway and agents at any moment of a first sync loses nothing and doubles nothing', async () => {
  const seed = Number(process.env['EVENTSYNC_FAULT_SEED'] ?? randomInt(2 ** 31))
  console.log(`seed ${seed} (EVENTSYNC_FAULT_SEED)`)
  const chance = chanceOf(seed)
  await using world = await World.create()
  const laptop = await world.device('laptop')
  const desktop = await world.device('desktop')
  writeTree(laptop.path(), FILES)
  mkdirSync(laptop.path('large'))
  for (const name of ['one', 'two']) writeFileSync(join(laptop.folder, 'large', name), randomBytes(6 * 1024 * 1024))
  const files = filesIn(laptop.folder)
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const device of [laptop, desktop]) await device.start()
    const before = progress(world, desktop)
    const wanted = before + chance() * 6 * 1024 * 1024
    const goesOn = async (): Promise<boolean> =>
      progress(world, desktop) > wanted || ((await desktop.status()).inSync && (await laptop.status()).inSync)
    await until(`the sync to go on in round ${round}`, goesOn, 60).catch(async (error: unknown) => {
      const said = [
        await laptop.status(),
        await desktop.status(),
        laptop.agent.lines.slice(-5),
        desktop.agent.lines.slice(-5),
        world.gateway.lines.slice(-5),
      ]
      throw new Error(JSON.stringify(said), { cause: error })
    })
    // One, two or all three of them, in any order.
    const victims = [world.gateway, laptop.agent, desktop.agent].filter(() => chance() < 0.7)
    await Promise.all(victims.map((victim) => victim.kill()))
    for (const device of [laptop, desktop]) if (device.agent.running) await device.agent.kill()
    if (!world.gateway.running) await world.startGateway()
  }
  for (const device of [laptop, desktop]) await device.start()
  for (const device of [laptop, desktop]) await device.settle(120)
  await expectSame(laptop, desktop)
  expect(filesIn(desktop.folder)).toBe(files)
  expect(countEvents(join(world.data, 'log.db')).get('FileCreated file')).toBe(files)
  expect(await world.gateway.stop()).toBe(0)
  expect(await damageOf(world.data)).toEqual([])
}, 180_000)
