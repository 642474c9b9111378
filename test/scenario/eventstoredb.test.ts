import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { logServer } from '../support/eventstoredb/log-server.ts'
import { writeTree } from '../support/files.ts'
import { pathsOf } from '../support/tree.ts'
import { until } from '../support/wait.ts'
import { expectSame, World } from '../support/world.ts'

test('two devices sync over a log on EventStoreDB, before and after the gateway lost all that it had folded from it', async () => {
  await using server = await logServer()
  await using world = await World.create({ EVENTSYNC_LOG_URL: server.url })
  const [laptop, desktop] = await world.pair()
  writeTree(laptop.path(), 200)
  writeFileSync(desktop.path('from the desktop'), 'hello')
  await expectSame(laptop, desktop)
  expect(await world.gateway.stop()).toBe(0)
  for (const name of ['state.db', 'projections.db']) rmSync(join(world.data, name))
  await world.startGateway()
  writeFileSync(laptop.path('later'), 'more')
  await expectSame(laptop, desktop)
  expect(pathsOf(desktop.folder)).toContain('later')
})

test('a gateway is not ready while its log is away, and goes on by itself when it is back', async () => {
  await using server = await logServer()
  await using world = await World.create({ EVENTSYNC_LOG_URL: server.url })
  const [laptop, desktop] = await world.pair()
  writeFileSync(laptop.path('before'), 'x')
  await expectSame(laptop, desktop)
  server.away()
  for (let i = 0; i < 20; i += 1) writeFileSync(laptop.path(`meanwhile ${i}`), String(i))
  await until('the gateway not to be ready', async () => !(await world.isReady()))
  server.back()
  await until('the gateway to be ready', () => world.isReady(), 30)
  await expectSame(laptop, desktop)
  expect(pathsOf(desktop.folder)).toHaveLength(21)
  expect((await laptop.status()).conflicts).toEqual([])
})

test('a gateway whose log cannot be reached says so, without the password', async () => {
  await expect(World.create({ EVENTSYNC_LOG_URL: 'esdb://admin:hunter2@127.0.0.1:1' })).rejects.toThrow(
    /^(?!.*hunter2)[^]*the event log at 127\.0\.0\.1:1 cannot be read/,
  )
})
