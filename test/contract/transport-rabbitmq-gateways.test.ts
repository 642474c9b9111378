import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Chunk } from '../../src/domain/content.ts'
import type { AccountId } from '../../src/domain/events.ts'
import { sha256 } from '../../src/protocol/hash.ts'
import { AmqpConnection } from '../../src/transport/rabbitmq/amqp.ts'
import { GATEWAYS, requestQueue, shardOf } from '../../src/transport/rabbitmq/names.ts'
import { createRabbitServer, type RabbitServerTransport } from '../../src/transport/rabbitmq/server.ts'
import type { Shares } from '../../src/transport/rabbitmq/turns.ts'
import { createRabbitClient } from '../../src/transport/rabbitmq/client.ts'
import { fastClock } from '../support/fast-clock.ts'
import { serverFor } from '../support/servers/server.ts'
import { until } from '../support/wait.ts'
import { TestBroker } from './transport-rabbitmq.ts'
import { AGENT, message, signIn, signingIn } from './transport.support.ts'

const SHARDS = 8
const FOLDERS = Array.from({ length: 24 }, (_, at) => `folder ${at}`)
const QUEUES = Array.from({ length: SHARDS }, (_, shard) => requestQueue(shard))

const ACCOUNT = 'account' as AccountId // any text will do here
const CHUNK: Chunk = { hash: sha256(Buffer.from('a chunk')), size: 7 }

const server = await serverFor('rabbitmq')

/** A gateway, and how it says that the queues are shared. */
interface TestGateway {
  readonly name: string
  readonly transport: RabbitServerTransport
  readonly shares: Shares[]
  /** What it heard that others took in. */
  readonly heard: (readonly [account: AccountId, chunks: readonly Chunk[]])[]
}

describe.skipIf(server === undefined)('rabbitmq: several gateways', () => {
  const clock = fastClock(4)
  let broker: TestBroker
  let started: AsyncDisposable[]
  /** What each folder's requests were handled as, in the order of their handling. */
  let handled: Map<string, { readonly n: number; readonly by: string }[]>
  beforeEach(async () => {
    broker = await TestBroker.create(server ?? '')
    started = []
    handled = new Map(FOLDERS.map((folder) => [folder, []]))
  })
  afterEach(async () => {
    await Promise.all(started.map((each) => each[Symbol.asyncDispose]()))
    await broker[Symbol.asyncDispose]()
  })

  const gateway = async (name: string): Promise<TestGateway> => {
    const shares: Shares[] = []
    const heard: TestGateway['heard'] = []
    const transport = createRabbitServer({
      clock,
      random: randomBytes,
      broker: { url: broker.url },
      shards: SHARDS,
      disconnect: broker.management.disconnect,
      shares: (now) => shares.push(now),
      uploads: (account, chunks) => heard.push([account, chunks]),
    })
    started.push(transport)
    transport.serve(
      signingIn(async ({ message: { Folder: folder, N: n } }) => {
        handled.get(typeof folder === 'string' ? folder : '')?.push({ n: Number(n), by: name })
        return message({ Status: 200, By: name })
      }),
    )
    await until('the gateway to serve', () => transport.serving)
    return { name, transport, shares, heard }
  }

  /** An agent that asks for each folder again and again, one request after the other; by whom the last round was answered. */
  const asking = () => {
    const asks = createRabbitClient({
      clock,
      random: randomBytes,
      broker: { url: broker.agentUrl },
      credentials: { agent: AGENT, password: 'right' },
      signIn: signIn(),
      requestTimeoutMs: 100_000,
    })
    started.push(asks)
    let n = 0
    const answered = (folder: string): Promise<string> =>
      until(`an answer for ${folder}`, async () => {
        const answer = await asks.request(message({ Folder: folder, N: n }))()
        const by = answer._tag === 'Right' ? answer.right.message['By'] : undefined
        return typeof by === 'string' ? by : undefined
      })
    return async (): Promise<readonly string[]> => {
      n += 1
      return Promise.all(FOLDERS.map(answered))
    }
  }

  /** Who should answer for each folder, as the gateways say themselves. */
  const wanted = (...gateways: readonly TestGateway[]): readonly (string | undefined)[] =>
    FOLDERS.map((folder) => gateways.find(({ shares }) => shares.at(-1)?.mine.includes(requestQueue(shardOf(folder, SHARDS))))?.name)

  /** Whether both count on each other, and who answered is who should have. */
  const isShared = (by: readonly string[], ...gateways: readonly TestGateway[]): boolean => {
    const queues = gateways.flatMap(({ shares }) => shares.at(-1)?.mine ?? []).toSorted()
    return JSON.stringify(queues) === JSON.stringify(QUEUES) && JSON.stringify(by) === JSON.stringify(wanted(...gateways))
  }

  const expectOrder = (rounds: number): void => {
    for (const entries of handled.values()) {
      const numbers = entries.map(({ n }) => n)
      expect(new Set(numbers).size).toBe(rounds)
      expect(numbers).toEqual(numbers.toSorted((one, other) => one - other))
    }
  }

  it('shares the queues with a gateway that comes, each queue once, with nothing lost and each folder in its order', async () => {
    const first = await gateway('first')
    const round = asking()
    let rounds = 1
    expect(new Set(await round())).toEqual(new Set(['first']))
    const second = await gateway('second')
    const settled = await until('each queue to be read by whom it should be', async () => {
      rounds += 1
      const by = await round()
      return isShared(by, first, second) ? by : undefined
    })
    // Nobody moves any more, through some five beats of each.
    for (const end = clock.monotonic() + 10_000; clock.monotonic() < end; rounds += 1) expect(await round()).toEqual(settled)
    expectOrder(rounds)
    for (const entries of handled.values())
      expect(entries.filter(({ by }, at) => at > 0 && by !== entries[at - 1]?.by).length).toBeLessThanOrEqual(1)
  })

  it('tells the others what was uploaded, before whoever sent it hears that it was taken, and takes no word that is none', async () => {
    const first = await gateway('first')
    await first.transport.uploaded(ACCOUNT, [CHUNK])
    const second = await gateway('second')
    await until('each to hear of the other', () => [first, second].every(({ shares }) => shares.at(-1)?.gateways === 2))
    await using another = await AmqpConnection.open({ url: broker.url }, 'another gateway', new AbortController().signal)
    const channel = await another.channel()
    for (const chunks of ['all', [['no hash', 3]], [CHUNK.hash], [[CHUNK.hash, -1]], 7])
      await channel.publish(GATEWAYS, '', Buffer.from(JSON.stringify({ Gateway: 'another', Account: ACCOUNT, Chunks: chunks })), {})
    await first.transport.uploaded(ACCOUNT, [CHUNK])
    const told = ({ heard }: TestGateway) => heard.filter(([, chunks]) => chunks.length > 0)
    await until('the second to hear of it', () => told(second).length > 0)
    expect(told(second)).toEqual([[ACCOUNT, [CHUNK]]])
    expect(told(first)).toEqual([])
  })

  it('leaves all to the others when one stops, and shares again when another comes', async () => {
    const [first, second] = [await gateway('first'), await gateway('second')]
    const round = asking()
    let rounds = 0
    const shared = (...gateways: readonly TestGateway[]): Promise<boolean> =>
      until(`${gateways.map(({ name }) => name).join(' and ')} to share the queues`, async () => {
        rounds += 1
        return isShared(await round(), ...gateways)
      })
    await shared(first, second)
    const stopping = first.transport[Symbol.asyncDispose]()
    for (let more = 0; more < 20; more += 1) {
      rounds += 1
      await round()
    }
    await stopping
    await shared(second)
    await shared(second, await gateway('third'))
    expectOrder(rounds)
  })

  it('goes on where a gateway is said to be there that reads nothing, and forgets it', async () => {
    const only = await gateway('only')
    const round = asking()
    await round()
    await using said = await AmqpConnection.open({ url: broker.url }, 'a gateway that hangs', new AbortController().signal)
    const channel = await said.channel()
    await channel.publish(GATEWAYS, '', Buffer.from(JSON.stringify({ Gateway: 'hangs' })), {})
    await channel.publish(GATEWAYS, '', Buffer.from('not even JSON'), {})
    await until('it to be heard', () => only.shares.at(-1)?.gateways === 2)
    expect(only.shares.at(-1)?.mine).toHaveLength(SHARDS / 2)
    expect(new Set(await round())).toEqual(new Set(['only']))
    await until('it to be forgotten', () => only.shares.at(-1)?.gateways === 1)
    expect(new Set(await round())).toEqual(new Set(['only']))
    expectOrder(3)
  })
})
