import { randomInt } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { run } from '../support/processes.ts'
import { expectSame, World, type Device } from '../support/world.ts'
import { chanceOf } from './support/chance.ts'
import { damageOf } from './support/log-check.ts'

const KILLS = Number(process.env['EVENTSYNC_RETENTION_KILLS'] ?? 5)
const FILES = 60

/** Contents that come again and again, so that what is freed is soon named anew. */
const write = (device: Device, chance: () => number): void => {
  for (let count = 0; count < FILES; count += 1) {
    const name = device.path(`f${Math.floor(chance() * FILES)}`)
    if (chance() < 0.2) rmSync(name, { force: true })
    else writeFileSync(name, `content ${Math.floor(chance() * 40)}\n`.repeat(chance() < 0.05 ? 40_000 : 50))
  }
}

test(`retention that is killed ${KILLS} times at any moment while devices upload loses nothing that is needed, and the next run finishes`, async () => {
  const seed = Number(process.env['EVENTSYNC_FAULT_SEED'] ?? randomInt(2 ** 31))
  console.log(`seed ${seed} (EVENTSYNC_FAULT_SEED)`)
  const chance = chanceOf(seed)
  await using world = await World.create()
  const laptop = await world.device('laptop')
  const desktop = await world.device('desktop')
  for (const device of [laptop, desktop]) await device.start()
  for (let round = 0; round < KILLS; round += 1) {
    write(laptop, chance)
    write(desktop, chance)
    const retention = run(['retention', '--data', world.data, '--keep', '0s', '--thorough', '--json'])
    // A moment of chance, not a wait for something.
    await sleep(chance() * 1500)
    await world.gateway.kill()
    await retention
    await world.startGateway()
  }
  for (const device of [laptop, desktop]) await device.settle(60)
  await expectSame(laptop, desktop)
  expect(await run(['retention', '--data', world.data, '--keep', '0s', '--thorough', '--json'])).toMatchObject({ code: 0 })
  const tablet = await world.device('tablet')
  await tablet.start()
  await tablet.settle(60)
  await expectSame(laptop, tablet)
  expect(await world.gateway.stop()).toBe(0)
  expect(await damageOf(world.data, 'tree')).toEqual([])
}, 600_000)
