import { rmSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { until, within } from '../support/wait.ts'
import { World, type Device } from '../support/world.ts'

const FIELDS = ['folder', 'inSync', 'connected', 'position', 'head', 'pending', 'conflicts', 'held', 'problems', 'lastError']

const statusOf = async (
  device: Device,
  ...args: string[]
): Promise<{ readonly code: number | null; readonly status: Record<string, unknown> }> => {
  const { code, stdout } = await device.run('status', device.folder, '--json', ...args)
  // The contract: one JSON object a folder.
  return { code, status: JSON.parse(stdout) as Record<string, unknown> }
}

test('tells what scripts depend on, and exits 0 in sync', async () => {
  await using world = await World.create()
  const [laptop] = await world.pair()
  writeFileSync(laptop.path('a'), 'x')
  const { code, status } = await statusOf(laptop, '--wait', '--timeout', '20')
  expect(code).toBe(0)
  expect(Object.keys(status)).toEqual(expect.arrayContaining(FIELDS))
  expect(status).toMatchObject({
    folder: laptop.folder,
    inSync: true,
    connected: true,
    pending: 0,
    conflicts: [],
    held: [],
    problems: [],
    lastError: null,
  })
  expect(status['position']).toBe(status['head'])
  expect((await laptop.run('status')).stdout).toContain('in sync')
})

test('waits for an agent that is not there yet', async () => {
  await using world = await World.create()
  const laptop = await world.device('laptop')
  const waiting = [laptop.folder, '--json'].map((word) => laptop.run('status', word, '--wait', '--timeout', '20'))
  writeFileSync(laptop.path('a'), 'x')
  await laptop.start()
  for (const each of waiting) expect(await within('the status', each, 25)).toMatchObject({ code: 0 })
})

test('without an agent it cannot know: exits 3', async () => {
  await using world = await World.create()
  const laptop = await world.device('laptop')
  expect(await laptop.run('status')).toMatchObject({ code: 2 })
  writeFileSync(laptop.path('a'), 'x')
  const { stdout } = await laptop.run('agent', laptop.folder, '--once')
  for (const line of stdout.trimEnd().split('\n')) expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z [a-zA-Z ]+/)
  expect(stdout).toContain('sent: new a')
  expect(await laptop.run('agent', laptop.folder, '--once', '--quiet')).toMatchObject({ code: 0, stdout: '' })
  const { code, status } = await statusOf(laptop)
  expect(code).toBe(3)
  expect(status).toMatchObject({ inSync: false, connected: false, pending: 0, lastError: 'no agent is running for this folder' })
  expect(status['position']).toBeGreaterThan(0)
  const late = await statusOf(laptop, '--wait', '--timeout', '1')
  expect(late.code).toBe(3)
})

test('the wait ends at its limit while the gateway is away, and with deletions that are held', async () => {
  await using world = await World.create()
  const [laptop] = await world.pair()
  for (let i = 0; i < 12; i += 1) writeFileSync(laptop.path(`f${i}`), 'x')
  await laptop.settle()
  for (let i = 0; i < 12; i += 1) rmSync(laptop.path(`f${i}`))
  expect(await statusOf(laptop, '--wait')).toMatchObject({ code: 3, status: { inSync: false } })
  await world.gateway.kill()
  // A broker in between takes it all the same: who has something to say notices that nobody hears it.
  writeFileSync(laptop.path('meanwhile'), 'x')
  await until('the laptop to notice', async () => !(await laptop.status()).connected)
  expect(await statusOf(laptop, '--wait', '--timeout', '2')).toMatchObject({ code: 4, status: { connected: false } })
})
