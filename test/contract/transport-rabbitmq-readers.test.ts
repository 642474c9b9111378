import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'amqplib'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { createRabbitClient } from '../../src/transport/rabbitmq/client.ts'
import { REPLY_TO, REQUESTS } from '../../src/transport/rabbitmq/names.ts'
import { createRabbitServer } from '../../src/transport/rabbitmq/server.ts'
import { bodyOf, CONTENT_TYPE } from '../../src/transport/rabbitmq/wire.ts'
import { fastClock } from '../support/fast-clock.ts'
import { startRabbit } from '../support/servers/rabbitmq.ts'
import { serverFor } from '../support/servers/server.ts'
import { until } from '../support/wait.ts'
import { TestBroker } from './transport-rabbitmq.ts'
import { agentKey, AGENT, message, right, signIn, signingIn } from './transport.support.ts'

const installed = (await serverFor('rabbitmq')) !== undefined
const directory = mkdtempSync(join(tmpdir(), 'eventsync-rabbit-'))
/** A broker of its own: its memory is looked at. */
const rabbit = installed ? await startRabbit(directory) : undefined
const MiB = 1024 * 1024
/** Their answers are more than the broker may use. */
const REQUESTS_SENT = 640
const HONEST = agentKey('B')

describe.skipIf(rabbit === undefined)('rabbitmq: an agent that reads nothing', () => {
  afterAll(async () => {
    await rabbit?.stop()
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  })

  it('cannot fill the memory of the broker or of the gateway, and holds up nobody', async () => {
    await using broker = await TestBroker.create(rabbit?.url ?? '')
    await using parts = new AsyncDisposableStack()
    const clock = fastClock(1)
    const common = { clock, random: randomBytes }
    let refused = 0
    const gateway = parts.use(
      createRabbitServer({
        ...common,
        broker: { url: broker.url },
        shards: 1,
        disconnect: broker.management.disconnect,
        log: ({ tag }) => (refused += tag === 'Rejected' ? 1 : 0),
      }),
    )
    const served = new Map<unknown, number>()
    gateway.serve(
      signingIn(async (_, { agent }) => {
        served.set(agent, (served.get(agent) ?? 0) + 1)
        return message({ Status: 200 }, new Uint8Array(2 * MiB))
      }),
    )
    await until('the gateway to serve', () => gateway.serving)
    const brokerMemory = async (): Promise<number> => Number(await rabbit?.ctl('eval', 'erlang:memory(total).'))

    const honest = parts.use(
      createRabbitClient({
        ...common,
        broker: { url: broker.vhost.agentUrl },
        credentials: { agent: HONEST, password: 'right' },
        signIn: signIn(HONEST),
      }),
    )
    /** As an agent that reads: much more than may lie unread. */
    const reads = async (): Promise<void> => {
      for (let round = 0; round < 20; round += 1) {
        const answers = await Promise.all(Array.from({ length: 8 }, () => honest.request(message({}))()))
        expect(answers.map((answer) => right(answer).message['Status'])).toEqual(Array.from({ length: 8 }, () => 200))
      }
    }
    await reads()

    const url = new URL(broker.agentUrl)
    url.username = AGENT
    url.password = 'right'
    url.searchParams.set('heartbeat', '0')
    const model = await connect(url.href)
    model.on('error', () => undefined)
    onTestFinished(() => void model.close().catch(() => undefined))
    const channel = await model.createConfirmChannel()
    await channel.consume(REPLY_TO, () => undefined, { noAck: true })
    const before = { broker: await brokerMemory(), gateway: process.memoryUsage().arrayBuffers }
    broker.proxy.stopReading()
    const body = bodyOf('request', message({ Action: 'Open' }))
    if (body._tag === 'Left') throw new Error(body.left)
    for (let n = 0; n < REQUESTS_SENT; n += 1) {
      const properties = { contentType: CONTENT_TYPE, replyTo: REPLY_TO, userId: AGENT, correlationId: String(n), headers: { nonce: 'n' } }
      channel.publish(REQUESTS, '0', body.right, properties)
      // As fast as they are taken, so that each could be answered.
      if (n % 16 === 15) await until('the requests to be taken', () => (served.get(AGENT) ?? 0) + refused > n)
    }
    expect(served.get(AGENT)).toBeGreaterThan(10)
    expect((await brokerMemory()) - before.broker).toBeLessThan(128 * MiB)
    expect(process.memoryUsage().arrayBuffers - before.gateway).toBeLessThan(256 * MiB)
    await reads()
  }, 100_000)
})
