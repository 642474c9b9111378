import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { run } from '../support/processes.ts'
import { pathsOf } from '../support/tree.ts'
import { Device, EMAIL, PASSWORD, World } from '../support/world.ts'

test('an agent that is revoked while connected can do nothing more', async () => {
  await using world = await World.create()
  const [laptop, desktop] = await world.pair()
  expect(await laptop.run('agents', 'revoke', 'desktop', '--reason', 'stolen')).toMatchObject({ code: 0 })
  expect(await desktop.agent.ended).toBe(5)
  expect((await desktop.run('status')).stdout).toContain('the agent has been revoked')
  writeFileSync(desktop.path('from a revoked device'), 'x')
  const refused = { code: 5 }
  expect(await desktop.run('agent', desktop.folder, '--once')).toMatchObject(refused)
  expect(await desktop.run('agents')).toMatchObject(refused)
  await laptop.settle()
  expect(pathsOf(laptop.folder)).toEqual([])
  const listed = (await laptop.run('agents', '--json')).stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line))
  expect(listed).toEqual([
    expect.objectContaining({ name: 'laptop', self: true, revoked: false }),
    expect.objectContaining({ name: 'desktop', revoked: true }),
  ])
})

test('a wrong password, an unknown account, an account made twice: refused', async () => {
  await using world = await World.create()
  const device = new Device(world, 'laptop')
  expect(await device.register({ password: 'wrong' })).toMatchObject({ code: 5 })
  expect(await device.register({ email: 'nobody@example.org' })).toMatchObject({ code: 5 })
  const again = await world.userAdd(EMAIL, 'qwertyuiop')
  expect(again.code).not.toBe(0)
  expect(again.stderr).not.toContain('qwertyuiop')
})

test('registering again is the same device; another account needs another state directory', async () => {
  await using world = await World.create()
  const laptop = await world.device('laptop')
  expect(await laptop.register()).toMatchObject({ code: 0 })
  expect(await world.userAdd('eve@example.org', 'another password')).toMatchObject({ code: 0 })
  const other = await laptop.register({ email: 'eve@example.org', password: 'another password' })
  expect(other).toMatchObject({ code: 2 })
  expect(other.stderr).toMatch(/is registered with ada@example.org .* already/)
})

test('each account sees only its own folders and devices', async () => {
  await using world = await World.create()
  await world.userAdd('eve@example.org', 'another password')
  const laptop = await world.device('laptop')
  const hers = await world.device('evil', { email: 'eve@example.org', password: 'another password' })
  writeFileSync(laptop.path('secret'), 'x')
  for (const device of [laptop, hers]) await device.start()
  for (const device of [laptop, hers]) await device.settle()
  expect(pathsOf(hers.folder)).toEqual([])
  expect((await hers.run('agents')).stdout).not.toContain('laptop')
  const key = (await laptop.run('agents', '--json')).stdout
  // The line is an agent's, with its key.
  expect(await hers.run('agents', 'revoke', (JSON.parse(key) as { key: string }).key)).not.toMatchObject({ code: 0 })
})

test('the password comes from a file, or is asked for; never from an argument', async () => {
  await using world = await World.create()
  const device = new Device(world, 'laptop')
  expect(await device.run('register', EMAIL, '--server', world.url)).toMatchObject({ code: 2 })
  const file = join(world.root, 'password')
  writeFileSync(file, `${PASSWORD}\n`)
  expect(await device.run('register', EMAIL, '--server', world.url, '--password-file', file)).toMatchObject({ code: 0 })
})

test('exit codes of agent --once: 0 in sync, 2 not registered, 3 not in sync, 4 out of reach', async () => {
  await using world = await World.create()
  const stranger = new Device(world, 'stranger')
  expect(await stranger.run('agent', stranger.folder, '--once')).toMatchObject({ code: 2 })
  const laptop = await world.device('laptop')
  writeFileSync(laptop.path('a'), 'x')
  expect(await laptop.run('agent', laptop.folder, '--once')).toMatchObject({ code: 0 })
  const desktop = await world.device('desktop')
  expect(await desktop.run('agent', desktop.folder, '--once')).toMatchObject({ code: 0 })
  expect(desktop.tree).toEqual(laptop.tree)

  await world.gateway.stop()
  const away = await laptop.run('agent', laptop.folder, '--once')
  expect(away).toMatchObject({ code: 4 })
  expect(away.stderr).toMatch(/cannot be reached/)
  expect(await run(['user', 'add', 'x@example.org', '--server', world.url], { EVENTSYNC_PASSWORD: 'x' })).toMatchObject({ code: 4 })
})
