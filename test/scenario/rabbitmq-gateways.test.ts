import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { creationsIn } from '../support/log.ts'
import { distributed } from '../support/profiles/distributed.ts'
import { serverFor } from '../support/servers/server.ts'
import { pathsOf } from '../support/tree.ts'
import { until } from '../support/wait.ts'
import { expectSame, World } from '../support/world.ts'

const [rabbit, s3] = [await serverFor('rabbitmq'), await serverFor('s3')]
const FILES = 1000
const LARGE = 24 * 1024 * 1024

describe.skipIf(rabbit === undefined || s3 === undefined)('two gateways over RabbitMQ, one log and one store', () => {
  test('each of them is killed while devices sync, and the other takes over: nothing is lost, nothing doubled', async () => {
    const profile = await distributed()
    await using world = await World.create({ EVENTSYNC_AMQP_SHARDS: '8' }, profile)
    const { daemon: other } = await world.anotherGateway(profile.another)
    const [laptop, desktop] = [await world.device('laptop'), await world.device('desktop')]
    for (const device of [laptop, desktop]) await device.start()
    await expectSame(laptop, desktop)

    /** Both devices write, and the gateway dies when the first of it has arrived. */
    const during = async (name: string, kill: () => Promise<void>): Promise<void> => {
      for (let at = 0; at < FILES / 2; at += 1) {
        writeFileSync(laptop.path(`${name} ${at} of the laptop`), `laptop ${at}`)
        writeFileSync(desktop.path(`${name} ${at} of the desktop`), `desktop ${at}`)
      }
      writeFileSync(laptop.path(`${name}, large`), randomBytes(LARGE))
      await until('the first files to arrive', () => pathsOf(desktop.folder).some((path) => path.endsWith('of the laptop')), 60)
      await kill()
      for (const device of [laptop, desktop]) await device.settle(120)
      await expectSame(laptop, desktop)
    }
    await during('first', () => world.gateway.kill())
    await world.startGateway()
    await during('second', () => other.kill())

    expect(pathsOf(laptop.folder)).toHaveLength(2 * (FILES + 1))
    for (const device of [laptop, desktop]) expect((await device.status()).conflicts).toEqual([])
    const created = creationsIn(await profile.events(world.data))
    expect(created.size).toBe(2 * (FILES + 1))
    expect([...created].filter(([, times]) => times > 1)).toEqual([])
  })
})
