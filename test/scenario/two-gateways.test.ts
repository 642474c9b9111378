import { rmSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { logServer } from '../support/eventstoredb/log-server.ts'
import { writeTree } from '../support/files.ts'
import { serverFor } from '../support/servers/server.ts'
import { pathsOf } from '../support/tree.ts'
import { expectSame, World } from '../support/world.ts'

const s3 = await serverFor('s3')

test.skipIf(s3 === undefined)('two gateways over one log and one store keep devices in sync, and one of them may die', async () => {
  await using server = await logServer()
  const bucket = new URL(s3 ?? '')
  bucket.pathname = `/two-gateways-${crypto.randomUUID()}`
  await using world = await World.create({ EVENTSYNC_LOG_URL: server.url, EVENTSYNC_STORE_URL: bucket.href })
  const other = await world.anotherGateway()
  const laptop = await world.device('laptop')
  const desktop = await world.device('desktop', { url: other.url })
  for (const device of [laptop, desktop]) await device.start()
  writeTree(laptop.path(), 100)
  for (let i = 0; i < 50; i += 1) writeFileSync(desktop.path(`from the desktop ${i}`), `desktop ${i}`)
  await expectSame(laptop, desktop)

  for (let i = 0; i < 50; i += 1) {
    writeFileSync(laptop.path(`at once ${i}`), `laptop ${i}`)
    writeFileSync(desktop.path(`meanwhile ${i}`), `desktop ${i}`)
    if (i === 25) await world.gateway.kill()
  }
  rmSync(desktop.path('from the desktop 1'))
  await desktop.settle()
  await world.startGateway()
  await expectSame(laptop, desktop)
  for (const device of [laptop, desktop]) expect((await device.status()).conflicts).toEqual([])
  expect(pathsOf(laptop.folder).filter((path) => /^(?:at once|meanwhile) /.test(path))).toHaveLength(100)
  expect(pathsOf(laptop.folder)).not.toContain('from the desktop 1')
})
