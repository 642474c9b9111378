import { randomBytes } from 'node:crypto'
import { connect, type ChannelModel, type Options } from 'amqplib'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { JsonObject } from '../../src/protocol/json.ts'
import { NO_BYTES } from '../../src/transport/port.ts'
import { openDeadLetters, type DeadLetter, type Shown, type Verdict } from '../../src/transport/rabbitmq/dead-letters.ts'
import { DEAD, PYSYNC, REQUESTS, requestQueue, shardOf } from '../../src/transport/rabbitmq/names.ts'
import { createRabbitServer, type RabbitServerTransport } from '../../src/transport/rabbitmq/server.ts'
import { bodyOf, CONTENT_TYPE } from '../../src/transport/rabbitmq/wire.ts'
import { fastClock } from '../support/fast-clock.ts'
import { serverFor } from '../support/servers/server.ts'
import { until } from '../support/wait.ts'
import { TestBroker } from './transport-rabbitmq.ts'
import { agentKey, AGENT } from './transport.support.ts'

const server = await serverFor('rabbitmq')
const OTHER = agentKey('B')
const SHARDS = 2

const frame = (head: JsonObject): Buffer => {
  const body = bodyOf('request', { message: head, payload: NO_BYTES })
  if (body._tag === 'Left') throw new Error(body.left)
  return body.right
}

describe.skipIf(server === undefined)('dead letters at the broker', () => {
  let broker: TestBroker
  let gateway: RabbitServerTransport | undefined
  let admin: ChannelModel
  let handled: { readonly action: unknown; readonly agent: string | undefined; readonly plain: boolean }[] = []

  beforeAll(async () => {
    broker = await TestBroker.create(server ?? '')
    admin = await connect(broker.url)
    await startGateway()
  })
  afterEach(async () => {
    handled = []
    const channel = await admin.createChannel()
    await channel.purgeQueue(DEAD)
    await channel.close()
  })
  afterAll(async () => {
    await gateway?.[Symbol.asyncDispose]()
    await admin.close()
    await broker[Symbol.asyncDispose]()
  })

  const startGateway = async (): Promise<void> => {
    const starting = createRabbitServer({
      clock: fastClock(1),
      random: randomBytes,
      broker: { url: broker.url },
      shards: SHARDS,
      disconnect: broker.management.disconnect,
    })
    gateway = starting
    starting.serve(async ({ message }, peer) => {
      handled.push({ action: message['Action'], agent: peer.agent, plain: peer.plain })
      return { message: message['Action'] === 'RegisterAgent' ? { Status: 403, Reason: 'no' } : { Status: 200 }, payload: NO_BYTES }
    })
    await until('the gateway to serve', () => starting.serving)
    await broker.management.bound(broker.vhost.name)
  }

  /** As somebody who may publish anything. */
  const publish = async (exchange: string, key: string, content: Buffer, options: Options.Publish = {}): Promise<void> => {
    const channel = await admin.createConfirmChannel()
    channel.publish(exchange, key, content, options)
    await channel.waitForConfirms()
    await channel.close()
  }

  /** As an agent, whose user_id the broker has checked. */
  const publishAs = async (user: string, key: string, content: Buffer, options: Options.Publish = {}): Promise<void> => {
    const url = new URL(broker.agentUrl)
    url.username = user
    url.password = 'right'
    const model = await connect(url.href)
    const channel = await model.createConfirmChannel()
    channel.publish(REQUESTS, key, content, { userId: user, contentType: CONTENT_TYPE, ...options })
    await channel.waitForConfirms()
    await model.close()
  }

  const walk = async (visit: (letter: Shown) => Promise<Verdict>, patienceMs = 10_000): Promise<void> => {
    const options = { broker: { url: broker.url }, shards: SHARDS, signal: AbortSignal.timeout(10_000), patienceMs }
    await using letters = await openDeadLetters(options)
    await letters.walk(visit)
  }
  const all = async (): Promise<DeadLetter[]> => {
    const found: DeadLetter[] = []
    await walk(async (letter) => {
      found.push(letter)
      return {}
    })
    return found
  }
  const actions = async (): Promise<string[]> => (await all()).map(({ action }) => action)
  const arrived = (count: number): Promise<unknown> => until(`${count} dead letters`, async () => (await all()).length === count)

  it('tells of each why it is there, whose it was and what it asked for, the oldest first, without its password', async () => {
    await publishAs(AGENT, '0', frame({ Action: 'One' }), { replyTo: `agent.${OTHER}.1` })
    await arrived(1)
    await publish(REQUESTS, '1', Buffer.from('no frame'), { contentType: CONTENT_TYPE })
    await arrived(2)
    await publish(PYSYNC, '', Buffer.from(JSON.stringify({ Action: 'Sync', Agent: { User: { Email: 'ada', Password: 'secret' } } })))
    await arrived(3)
    const [one, two, three] = await all()
    expect(one).toMatchObject({ queue: requestQueue(0), sender: AGENT, replyTo: `agent.${OTHER}.1`, action: 'One' })
    expect(one?.reason).toContain('reply_to')
    expect(Math.abs(Date.parse(one?.time ?? '') - Date.now())).toBeLessThan(60_000)
    expect(two).toMatchObject({ queue: requestQueue(1), sender: '', action: '', message: undefined })
    expect(two?.reason).toContain('user_id')
    expect(three).toMatchObject({ queue: PYSYNC, action: 'Sync' })
    expect(JSON.stringify(await all())).not.toContain('secret')
  })

  it('loses and reorders nothing, however often it is looked at, whoever breaks off, and what comes in meanwhile is last', async () => {
    const wanted = Array.from({ length: 8 }, (_, n) => `n${n}`)
    for (const [n, action] of wanted.slice(0, 7).entries()) {
      await publish(REQUESTS, '0', frame({ Action: action }), { contentType: CONTENT_TYPE })
      await arrived(n + 1)
    }
    const ids = (await all()).map(({ id }) => id)
    await walk(async ({ action }) => {
      if (action === 'n2') await publish(DEAD, '', frame({ Action: 'n7' }), { contentType: CONTENT_TYPE, persistent: true })
      return { last: action === 'n4' }
    })
    for (let look = 0; look < 30; look += 1) await all()
    expect(await actions()).toEqual(wanted)
    expect((await all()).slice(0, 7).map(({ id }) => id)).toEqual(ids)
    const broken = walk(async () => {
      throw new Error('broken off')
    })
    await expect(broken).rejects.toThrow('broken off')
    // One that is killed tells the broker nothing.
    const killed = await connect(broker.url)
    killed.on('error', () => undefined)
    const holding = await killed.createChannel()
    for (let n = 0; n < 5; n += 1) await holding.get(DEAD)
    await killed.close()
    const counting = await admin.createChannel()
    onTestFinished(() => counting.close())
    await until('the broker to notice', async () => (await counting.checkQueue(DEAD)).messageCount === 8)
    expect((await actions()).toSorted()).toEqual(wanted)
    const times = (await all()).filter(({ time }) => time !== '').map(({ id, time }) => `${time} ${id}`)
    expect(times.toSorted((a, b) => (a < b ? -1 : 1)).map((text) => text.split(' ')[1])).toEqual(ids)
  })

  it('lets one look at a time', async () => {
    await publish(REQUESTS, '0', frame({ Action: 'a' }), { contentType: CONTENT_TYPE })
    await arrived(1)
    await walk(async () => {
      await expect(all()).rejects.toMatchObject({ tag: 'held' })
      return {}
    })
    expect(await actions()).toEqual(['a'])
  })

  it('removes the one that is to be removed, and leaves the others in their order', async () => {
    for (const [n, action] of ['a', 'b', 'c', 'd'].entries()) {
      await publish(REQUESTS, '0', frame({ Action: action }), { contentType: CONTENT_TYPE })
      await arrived(n + 1)
    }
    await walk(async ({ action }) => ({ remove: action === 'b', last: action === 'c' }))
    await until('the others', async () => (await all()).length === 3)
    expect(await actions()).toEqual(['a', 'c', 'd'])
  })

  it('sends again only what proves itself: a request that is believed for its connection reaches nobody, even with the gateways own credentials', async () => {
    const signed = { Action: 'Changes', Agent: { Key: OTHER.toLowerCase() }, Folder: 'f' }
    const revoke = { Action: 'RevokeAgent', Agent: { Key: OTHER }, Target: AGENT }
    for (const [n, head] of [signed, revoke, { Action: 'RegisterAgent' }].entries()) {
      await publish(REQUESTS, '0', frame(head), { contentType: CONTENT_TYPE })
      await arrived(n + 1)
    }
    const outcomes: unknown[] = []
    await walk(async ({ action, resend }) => {
      outcomes.push([action, await resend()])
      return {}
    })
    expect(outcomes).toEqual([
      ['Changes', { tag: 'answered', status: 200, reason: '' }],
      ['RevokeAgent', { tag: 'notSent', reason: expect.stringContaining('RevokeAgent') as string }],
      ['RegisterAgent', { tag: 'answered', status: 403, reason: 'no' }],
    ])
    // The agent that the changes name: their own signature is checked against its key. The other comes as nobody.
    expect(handled).toEqual([
      { action: 'Changes', agent: OTHER, plain: false },
      { action: 'RegisterAgent', agent: undefined, plain: false },
    ])
    const asked = await answerTo(frame(revoke), '0')
    expect(asked).toContain('"Status":403')
    expect(handled).toHaveLength(2)
  })

  /** What a gateway answers to its own user. */
  const answerTo = async (content: Buffer, key: string): Promise<string> => {
    const channel = await admin.createChannel()
    onTestFinished(() => channel.close())
    const answer = Promise.withResolvers<string>()
    await channel.consume('amq.rabbitmq.reply-to', (delivery) => answer.resolve(delivery?.content.toString() ?? ''), { noAck: true })
    const userId = decodeURIComponent(new URL(broker.url).username)
    channel.publish(REQUESTS, key, content, { userId, replyTo: 'amq.rabbitmq.reply-to', contentType: CONTENT_TYPE })
    return answer.promise
  }

  it("sends a PySync client's message again through its queue, where its own password speaks for it", async () => {
    await publish(PYSYNC, '', Buffer.from(JSON.stringify({ Action: 'Delete', File: 'x' })), { contentType: 'application/json' })
    await publish(PYSYNC, '', Buffer.from('bytes'), { contentType: 'application/octet-stream' })
    await arrived(2)
    const outcomes: unknown[] = []
    await walk(async ({ resend }) => {
      outcomes.push((await resend()).tag)
      return {}
    })
    expect(outcomes).toEqual(['answered', 'notSent'])
    expect(handled).toEqual([{ action: 'Delete', agent: undefined, plain: true }])
  })

  it('tells of a message that no gateway could answer, believes no header of its sender, and lets it wait in its queue again', async () => {
    await gateway?.[Symbol.asyncDispose]()
    const folder = 'f'.repeat(32)
    const shard = String(shardOf(folder, SHARDS))
    const forged = { 'x-user': OTHER, 'x-reason': 'forged', 'x-queue': 'forged' }
    const head = { Action: 'Changes', Agent: { Key: AGENT }, Folder: folder }
    await publishAs(AGENT, shard, frame(head), { replyTo: 'amq.gen-x', headers: forged })
    const taking = await admin.createChannel()
    await taking.consume(requestQueue(Number(shard)), (delivery) => delivery && taking.nack(delivery, false, true))
    await arrived(1)
    await taking.close()
    const [letter] = await all()
    expect(letter).toMatchObject({ sender: AGENT, queue: requestQueue(Number(shard)), action: 'Changes' })
    expect(letter?.reason).toContain('again and again')
    expect(letter?.time).not.toBe('')
    await walk(async ({ resend }) => {
      expect(await resend()).toEqual({ tag: 'waiting' })
      return { remove: true }
    }, 300)
    await startGateway()
    await until('it to be handled', () => handled.length === 1)
    expect(handled[0]).toMatchObject({ agent: AGENT })
    expect(await all()).toEqual([])
  })
})
