import { existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { run } from '../support/processes.ts'
import { until } from '../support/wait.ts'
import { Device, expectSame, World } from '../support/world.ts'

test('two agents on one folder are refused, from one device or from two', async () => {
  await using world = await World.create()
  const laptop = await world.device('laptop')
  const desktop = await world.device('desktop')
  await laptop.start()
  for (const other of [laptop, desktop]) {
    const refused = await other.run('agent', laptop.folder, '--once')
    expect(refused).toMatchObject({ code: 1 })
    expect(refused.stderr).toMatch(/another agent keeps .* in sync already/)
  }
  await laptop.agent.kill()
  await laptop.start()
  await laptop.settle()
})

test('I15: nested folders, and a state or data directory inside a synced one, are refused by real path', async () => {
  await using world = await World.create()
  const laptop = await world.device('laptop')
  const desktop = await world.device('desktop')
  await laptop.start()
  await laptop.settle()
  symlinkSync(laptop.folder, join(world.root, 'link'))
  const nested = await desktop.run('agent', join(world.root, 'link', 'inside'), '--once')
  expect(nested).toMatchObject({ code: 2 })
  expect(nested.stderr).toMatch(/lies inside .*laptop, a synced folder/)
  expect(await desktop.run('agent', world.root, '--once')).toMatchObject({ code: 2 })
  expect(await run(['serve', '--data', laptop.path('gateway'), '--listen', '127.0.0.1:0'])).toMatchObject({ code: 2 })
  expect(await new Device(world, 'phone', laptop.path('deep', 'state')).register()).toMatchObject({ code: 2 })
  expect([existsSync(laptop.path('gateway')), existsSync(laptop.path('deep'))]).toEqual([false, false])
  renameSync(desktop.state, laptop.path('state'))
  const moved = new Device(world, 'tablet', laptop.path('state'))
  expect(await moved.run('agent', moved.folder, '--once')).toMatchObject({ code: 2 })
  await laptop.settle()
  expect((await laptop.status()).problems.map(({ path }) => path)).toContain('state')
  const phone = await world.device('phone')
  await phone.start()
  await phone.settle()
  expect(existsSync(phone.path('state', 'key.pem'))).toBe(false)
})

test('a data directory has one gateway, and is not opened by an older version', async () => {
  await using world = await World.create()
  const second = await run(['serve', '--data', world.data, '--listen', '127.0.0.1:0'])
  expect(second).toMatchObject({ code: 1 })
  expect(second.stderr).toMatch(/another gateway works on .* already/)
  await world.gateway.kill()
  await world.startGateway()

  const newer = join(world.root, 'newer')
  mkdirSync(newer)
  writeFileSync(join(newer, 'eventsync-data.json'), '{"format":99}')
  const refused = await run(['serve', '--data', newer, '--listen', '127.0.0.1:0'])
  expect(refused).toMatchObject({ code: 1 })
  expect(refused.stderr).toMatch(/written by a newer version/)
})

test('an address that is taken is named', async () => {
  await using world = await World.create()
  const refused = await run(['serve', '--data', join(world.root, 'other'), '--listen', `127.0.0.1:${world.port}`])
  expect(refused).toMatchObject({ code: 1 })
  expect(refused.stderr).toContain(String(world.port))
})

test('one device keeps the folder in two places', async () => {
  await using world = await World.create()
  const laptop = await world.device('laptop')
  const second = laptop.place('laptop-too')
  for (const place of [laptop, second]) await place.start()
  writeFileSync(laptop.path('from the first'), 'x')
  await until('the file in the second place', () => existsSync(second.path('from the first')))
  writeFileSync(second.path('from the second'), 'x')
  await until('the file in the first place', () => existsSync(laptop.path('from the second')))
  await expectSame(laptop, second)
  const told = (await laptop.run('status', '--json')).stdout.trim().split('\n')
  expect(told).toHaveLength(2)
})
