import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { creationsIn } from '../support/log.ts'
import { distributed } from '../support/profiles/distributed.ts'
import { queueAgents } from '../support/queue-agent.ts'
import { serverFor } from '../support/servers/server.ts'
import { pathsOf } from '../support/tree.ts'
import { until } from '../support/wait.ts'
import { expectSame, World } from '../support/world.ts'

const [rabbit, s3] = [await serverFor('rabbitmq'), await serverFor('s3')]
const FILES = 1000
const MESSAGES = 20
/** Only ends what hangs. */
const LIMIT_MS = 400_000
const LARGE = 24 * 1024 * 1024

describe.skipIf(rabbit === undefined || s3 === undefined)('two gateways over RabbitMQ, one log and one store', () => {
  test(
    'each of them is killed while devices sync, and the other takes over: nothing is lost, nothing doubled',
    async () => {
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
      const created = creationsIn(await profile.events(world.data)).map(({ path }) => path)
      expect(created).toHaveLength(2 * (FILES + 1))
      expect(new Set(created).size).toBe(created.length)
    },
    LIMIT_MS,
  )

  test(
    '8 folders and 16 agents: every message is in the log once, and those of each agent in the order that it sent them, though a gateway is killed',
    async () => {
      const profile = await distributed()
      await using world = await World.create({ EVENTSYNC_AMQP_SHARDS: '8' }, profile)
      await world.anotherGateway(profile.another)
      await using parts = new AsyncDisposableStack()
      const agents = await queueAgents(world.url, 8, parts)
      const kill = Promise.withResolvers<void>()
      const sending = agents.map(async (agent) => {
        for (let number = 1; number <= MESSAGES; number += 1) {
          await agent.send(4)
          if (number === MESSAGES / 2) kill.resolve()
        }
      })
      await kill.promise
      await world.gateway.kill()
      await Promise.all(sending)

      const created = creationsIn(await profile.events(world.data)).filter(({ kind }) => kind === 'file')
      expect(created).toHaveLength(agents.length * MESSAGES * 4)
      for (const { signer, folder } of agents) {
        const own = created.filter(({ agent }) => agent === signer.key)
        expect(new Set(own.map((each) => each.folder))).toEqual(new Set([folder]))
        expect(own.map(({ number }) => number)).toEqual(Array.from({ length: MESSAGES * 4 }, (_, at) => Math.floor(at / 4) + 1))
      }
    },
    LIMIT_MS,
  )
})
