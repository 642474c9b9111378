import { connect, type Channel, type ChannelModel, type ConsumeMessage, type Options } from 'amqplib'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { AgentKey } from '../../src/domain/events.ts'
import type { JsonObject } from '../../src/protocol/json.ts'
import { NOTIFICATIONS, REQUESTS, requestQueue, shardOf } from '../../src/transport/rabbitmq/names.ts'
import { createRabbitServer } from '../../src/transport/rabbitmq/server.ts'
import type { RabbitServerTransport } from '../../src/transport/rabbitmq/server.ts'
import { bodyOf, CONTENT_TYPE, frameIn } from '../../src/transport/rabbitmq/wire.ts'
import type { ServerEvent } from '../../src/transport/session/options.ts'
import { fastClock } from '../support/fast-clock.ts'
import { serverFor } from '../support/servers/server.ts'
import { until } from '../support/wait.ts'
import { TestBroker } from './transport-rabbitmq.ts'
import { agentKey, AGENT } from './transport.support.ts'
import { randomBytes } from 'node:crypto'

const server = await serverFor('rabbitmq')
const OTHER = agentKey('B')

describe.skipIf(server === undefined)('who may do what on the broker', () => {
  let broker: TestBroker
  let gateway: RabbitServerTransport
  const handled: string[] = []
  const refused: string[] = []
  let declared = 0

  beforeAll(async () => {
    broker = await TestBroker.create(server ?? '', {
      check: async (_, given) => given === 'right',
      kindOf: () => 'agent',
      plainClients: false,
      mayDeclare: () => (declared += 1) <= 40,
    })
    gateway = createRabbitServer({
      clock: fastClock(1),
      random: randomBytes,
      broker: { url: broker.url },
      shards: 2,
      disconnect: broker.management.disconnect,
      log: (event: ServerEvent) => event.tag === 'Rejected' && refused.push(event.reason),
    })
    gateway.serve(async ({ message }, peer) => {
      handled.push(String(peer.agent))
      return { message: { Status: 200, Sent: message }, payload: new Uint8Array(0) }
    })
    await until('the gateway to serve', () => gateway.serving)
    await broker.management.bound(broker.vhost.name)
  })
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]()
    await broker[Symbol.asyncDispose]()
  })

  const connection = async (user: AgentKey | 'enrol' = AGENT): Promise<ChannelModel> => {
    const url = new URL(broker.agentUrl)
    url.username = user
    url.password = user === 'enrol' ? 'enrol' : 'right'
    const model = await connect(url.href)
    model.on('error', () => undefined)
    onTestFinished(() => model.close().catch(() => undefined))
    return model
  }

  /** What the broker's refusal says; undefined: it was allowed. */
  const refusalOf = async (act: (channel: Channel) => Promise<unknown>, user: AgentKey | 'enrol' = AGENT): Promise<string | undefined> => {
    const channel = await (await connection(user)).createConfirmChannel()
    const failed = Promise.withResolvers<string>()
    channel.on('error', (error: Error) => failed.resolve(error.message))
    const done = (async () => {
      await act(channel)
      await channel.waitForConfirms()
      return undefined
    })().catch(() => failed.promise)
    return Promise.race([done, failed.promise])
  }

  const mine = `agent.${AGENT}.1`
  const own: Options.AssertQueue = { exclusive: true, autoDelete: true }
  const publish =
    (exchange: string, key: string, options: Options.Publish = {}, body = '{}') =>
    async (channel: Channel): Promise<unknown> =>
      channel.publish(exchange, key, Buffer.from(body), options)

  it('lets an agent make, bind and read a queue of its own, and nothing else of that kind', async () => {
    const all = async (channel: Channel): Promise<void> => {
      await channel.assertQueue(mine, own)
      await channel.bindQueue(mine, NOTIFICATIONS, AGENT)
      await channel.consume(mine, () => undefined)
    }
    expect(await refusalOf(all)).toBeUndefined()
    const others = `agent.${OTHER}.1`
    for (const name of [others, 'anything', 'agent', requestQueue(0), 'amq.gen-x'])
      expect(await refusalOf((channel) => channel.assertQueue(name, own)), name).toMatch(/ACCESS.REFUSED|RESOURCE.LOCKED/)
  })

  it("refuses to read, empty, delete or bind what is another's", async () => {
    const holder = await (await connection(OTHER)).createChannel()
    const others = `agent.${OTHER}.2`
    await holder.assertQueue(others, { autoDelete: true })
    for (const act of [
      (channel: Channel) => channel.consume(others, () => undefined),
      (channel: Channel) => channel.get(others),
      (channel: Channel) => channel.purgeQueue(others),
      (channel: Channel) => channel.deleteQueue(others),
      (channel: Channel) => channel.bindQueue(others, NOTIFICATIONS, AGENT),
      (channel: Channel) => channel.consume(requestQueue(0), () => undefined),
      (channel: Channel) => channel.deleteQueue(requestQueue(0)),
      (channel: Channel) => channel.deleteExchange(REQUESTS),
      (channel: Channel) => channel.assertExchange('mine', 'fanout'),
    ])
      expect(await refusalOf(act)).toMatch('ACCESS_REFUSED')
  })

  it("refuses to hear what is addressed to another, whatever the binding's form", async () => {
    for (const [n, key] of [OTHER, '#', '*', `${AGENT}.#`].entries()) {
      const queue = `agent.${AGENT}.bind.${n}`
      const bind = async (channel: Channel): Promise<void> => {
        await channel.assertQueue(queue, own)
        await channel.bindQueue(queue, NOTIFICATIONS, key)
      }
      expect(await refusalOf(bind), key).toMatch('ACCESS_REFUSED')
    }
  })

  it("refuses to flood another's queue, to notify, and to answer in the gateway's name", async () => {
    const { replyTo } = await seenReplyTo()
    expect(await refusalOf(publish('', `agent.${OTHER}.1`))).toMatch('ACCESS_REFUSED')
    expect(await refusalOf(publish('', replyTo))).toMatch('ACCESS_REFUSED')
    expect(await refusalOf(publish('', requestQueue(1)))).toMatch('ACCESS_REFUSED')
    expect(await refusalOf(publish(NOTIFICATIONS, OTHER))).toMatch('ACCESS_REFUSED')
    expect(await refusalOf(publish('amq.topic', OTHER))).toMatch('ACCESS_REFUSED')
    expect(await refusalOf(publish('eventsync.dead', ''))).toMatch('ACCESS_REFUSED')
    expect(await refusalOf(publish('eventsync.gateways', ''))).toMatch('ACCESS_REFUSED')
    expect(await refusalOf(publish('pysync', ''))).toMatch('ACCESS_REFUSED')
  })

  /** The reply address of a request of another agent, as a gateway sees it. */
  const seenReplyTo = async (): Promise<{ readonly replyTo: string }> => {
    const model = await connect(broker.url)
    onTestFinished(() => model.close())
    const spy = await model.createChannel()
    const { queue } = await spy.assertQueue('', { exclusive: true })
    await spy.bindQueue(queue, REQUESTS, '1')
    const seen = Promise.withResolvers<string>()
    await spy.consume(queue, (delivery) => seen.resolve(String(delivery?.properties.replyTo)))
    const channel = await (await connection(OTHER)).createChannel()
    await channel.consume('amq.rabbitmq.reply-to', () => undefined, { noAck: true })
    channel.publish(REQUESTS, '1', Buffer.from('{}'), { replyTo: 'amq.rabbitmq.reply-to', userId: OTHER })
    return { replyTo: await seen.promise }
  }

  it('refuses to publish as another, and the gateway takes nothing from nobody', async () => {
    const reply = { replyTo: 'amq.rabbitmq.reply-to' }
    expect(await refusalOf(withReply(publish(REQUESTS, '0', { ...reply, userId: OTHER })))).toMatch('PRECONDITION_FAILED')
    const before = refused.length
    expect(await refusalOf(withReply(publish(REQUESTS, '0', reply)))).toBeUndefined()
    await until('the message to be set aside', () => refused.length > before)
    expect(refused.at(-1)).toMatch('user_id')
  })

  const withReply =
    (act: (channel: Channel) => Promise<unknown>) =>
    async (channel: Channel): Promise<void> => {
      await channel.consume('amq.rabbitmq.reply-to', () => undefined, { noAck: true })
      await act(channel)
    }

  it('takes no request whose answer would go to another, and none out of another queue', async () => {
    const attempts: [Options.Publish, RegExp][] = [
      [{ userId: AGENT, replyTo: `agent.${OTHER}.1` }, /reply_to/],
      [{ userId: AGENT }, /reply_to/],
      [{ userId: AGENT, replyTo: 'amq.rabbitmq.reply-to', headers: { 'x-death': [] } }, /x-death/],
    ]
    for (const [options, reason] of attempts) {
      const before = refused.length
      expect(await refusalOf(withReply(publish(REQUESTS, '0', options)))).toBeUndefined()
      await until('the message to be set aside', () => refused.length > before)
      expect(refused.at(-1)).toMatch(reason)
    }
  })

  it.each([['CC'], ['BCC']])(
    'handles a request in the queue of its folder alone, however it is copied into others (%s)',
    async (header) => {
      const folder = ['a', 'b', 'c', 'd'].find((each) => shardOf(each, 2) === 0) ?? ''
      const body = bodyOf('request', { message: { Action: 'Sync', Folder: folder }, payload: new Uint8Array(0) })
      if (body._tag === 'Left') throw new Error(body.left)
      const copied: Options.Publish = { userId: AGENT, replyTo: 'amq.rabbitmq.reply-to', contentType: CONTENT_TYPE, [header]: ['1'] }
      const answers: unknown[] = []
      const ask = async (channel: Channel): Promise<void> => {
        const take = (delivery: ConsumeMessage | null): void => {
          const frame = frameIn(delivery?.content ?? Buffer.alloc(0))
          if (frame._tag === 'Right') answers.push([frame.right.head['Status'], frame.right.head['Reason']])
        }
        await channel.consume('amq.rabbitmq.reply-to', take, { noAck: true })
        channel.publish(REQUESTS, '0', body.right, copied)
        await until('both answers', () => answers.length === 2)
      }
      const before = handled.length
      expect(await refusalOf(ask)).toBeUndefined()
      expect(answers).toContainEqual([200, undefined])
      expect(answers).toContainEqual([400, expect.stringContaining('belongs to another queue')])
      expect(handled).toHaveLength(before + 1)
    },
  )

  it('answers whoever is not enrolled with 403 but for registering, and asking whether it is welcome, which makes it nobody', async () => {
    const answerTo = async (message: JsonObject): Promise<unknown> => {
      const body = bodyOf('request', { message, payload: new Uint8Array(0) })
      if (body._tag === 'Left') throw new Error(body.left)
      const answer = Promise.withResolvers<unknown>()
      const ask = async (channel: Channel): Promise<void> => {
        const take = (delivery: ConsumeMessage | null): void => {
          const frame = frameIn(delivery?.content ?? Buffer.alloc(0))
          answer.resolve(frame._tag === 'Right' ? [frame.right.head['Status'], frame.right.head['Code']] : frame.left)
        }
        await channel.consume('amq.rabbitmq.reply-to', take, { noAck: true })
        channel.publish(REQUESTS, '0', body.right, { userId: 'enrol', replyTo: 'amq.rabbitmq.reply-to', contentType: CONTENT_TYPE })
        await answer.promise
      }
      expect(await refusalOf(ask, 'enrol')).toBeUndefined()
      return answer.promise
    }
    for (const action of ['Sync', 'Changes', 'Open', 'RevokeAgent', 'Agents', 'Missing', undefined])
      expect(await answerTo({ Action: action ?? 7, Agent: { Key: AGENT } }), action).toEqual([403, 'agent'])
    const before = handled.length
    for (const action of ['RegisterUser', 'RegisterAgent', 'SignIn'])
      expect(await answerTo({ Action: action, Agent: { Key: AGENT } }), action).toEqual([200, undefined])
    expect(handled.slice(before)).toEqual(['undefined', 'undefined', 'undefined'])
  })

  it('sets aside what a queue with a dead-letter exchange throws at the requests', async () => {
    const [before, begun] = [refused.length, handled.length]
    const trick = async (channel: Channel): Promise<void> => {
      const through = { ...own, arguments: { 'x-dead-letter-exchange': REQUESTS, 'x-dead-letter-routing-key': '0', 'x-message-ttl': 1 } }
      await channel.assertQueue(`agent.${AGENT}.3`, through)
      await channel.bindQueue(`agent.${AGENT}.3`, NOTIFICATIONS, AGENT)
      gateway.notify([AGENT], { folder: 'f', position: 1 })
      await until('what was thrown to be set aside', () => refused.length > before)
    }
    expect(await refusalOf(trick)).toBeUndefined()
    expect(handled).toHaveLength(begun)
  })

  it('bounds what an agent can make the broker keep', async () => {
    const flood = async (channel: Channel): Promise<void> => {
      await channel.assertQueue(`agent.${AGENT}.4`, { durable: true, autoDelete: true })
      await channel.bindQueue(`agent.${AGENT}.4`, NOTIFICATIONS, AGENT)
      for (let position = 0; position < 500; position += 1) gateway.notify([AGENT], { folder: 'f', position })
      const kept = (): Promise<number> => channel.checkQueue(`agent.${AGENT}.4`).then(({ messageCount }) => messageCount)
      await until('the queue to be full', async () => (await kept()) === 64)
    }
    expect(await refusalOf(flood)).toBeUndefined()
    expect(await refusalOf((channel) => channel.assertQueue(`agent.${AGENT}.5`, { durable: true, autoDelete: true }))).toBeUndefined()
    const many = async (channel: Channel): Promise<void> => {
      for (let n = 0; n < 50; n += 1) await channel.assertQueue(`agent.${AGENT}.many.${n}`, own)
    }
    expect(await refusalOf(many)).toMatch('ACCESS_REFUSED')
    expect(await refusalOf(publish(REQUESTS, '0', { userId: AGENT }, 'x'.repeat(9 * 1024 * 1024)))).toMatch('PRECONDITION_FAILED')
  })

  it('lets the enrolment account register, and nothing else', async () => {
    const asked = await refusalOf(withReply(publish(REQUESTS, '0', { userId: 'enrol', replyTo: 'amq.rabbitmq.reply-to' })), 'enrol')
    expect(asked).toBeUndefined()
    expect(await refusalOf((channel) => channel.assertQueue('', own), 'enrol')).toMatch('ACCESS_REFUSED')
    expect(await refusalOf((channel) => channel.assertQueue(mine, own), 'enrol')).toMatch('ACCESS_REFUSED')
    expect(await refusalOf(publish('eventsync.chunks', ''), 'enrol')).toMatch('ACCESS_REFUSED')
    expect(await refusalOf(publish('', requestQueue(0)), 'enrol')).toMatch('ACCESS_REFUSED')
  })

  it('closes the connections of a revoked agent, and of nobody else', async () => {
    const [gone, stays] = [await connection(AGENT), await connection(OTHER)]
    let closed = false
    let otherClosed = false
    gone.on('close', () => (closed = true))
    stays.on('close', () => (otherClosed = true))
    await until('the broker to list both', async () => {
      // The management API's list lags behind its connections.
      const listed = JSON.stringify(await (await broker.vhost.api('GET', 'connections')).json())
      return listed.includes(AGENT) && listed.includes(OTHER)
    })
    gateway.disconnect(AGENT, 'It has been revoked.')
    await until('the connection to be closed', () => closed)
    expect(otherClosed).toBe(false)
  })
})
