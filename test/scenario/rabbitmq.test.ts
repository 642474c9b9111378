import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { makeVhost } from '../support/servers/rabbitmq-vhost.ts'
import { freePorts } from '../support/servers/ports.ts'
import { serverFor } from '../support/servers/server.ts'
import { pathsOf } from '../support/tree.ts'
import { until } from '../support/wait.ts'
import { World } from '../support/world.ts'

const server = await serverFor('rabbitmq')

describe.skipIf(server === undefined)('over RabbitMQ', () => {
  test('two devices register, stay in sync, and one that is revoked is cut off', async () => {
    await using vhost = await makeVhost(server ?? '')
    const [auth = 0] = await freePorts(1)
    await vhost.answeredBy(auth)
    await using world = await World.create({
      EVENTSYNC_AMQP_URL: vhost.url,
      EVENTSYNC_AMQP_MANAGEMENT_URL: vhost.managementUrl,
      EVENTSYNC_AMQP_AUTH_LISTEN: `127.0.0.1:${auth}`,
      EVENTSYNC_AMQP_SHARDS: '2',
    })
    const url = vhost.agentUrl
    const [laptop, desktop] = [await world.device('laptop', { url }), await world.device('desktop', { url })]
    for (const device of [laptop, desktop]) await device.start()
    const large = Buffer.alloc(9_000_000, 'large')
    writeFileSync(laptop.path('large'), large)
    writeFileSync(laptop.path('small'), 'small')
    await laptop.settle()
    await desktop.settle()
    expect(pathsOf(desktop.folder)).toEqual(['large', 'small'])
    expect(readFileSync(desktop.path('large')).equals(large)).toBe(true)

    writeFileSync(desktop.path('back'), 'from the desktop')
    await until('the file to arrive by a notification', () => pathsOf(laptop.folder).includes('back'))

    expect(await desktop.run('agents', 'revoke', 'laptop')).toMatchObject({ code: 0 })
    await until('the revoked device to be cut off', async () => JSON.stringify(await laptop.status()).includes('"connected":false'))
    writeFileSync(desktop.path('later'), 'goes on')
    await desktop.settle()
    expect(pathsOf(laptop.folder)).not.toContain('later')
  })
})
