import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AccountId } from '../../src/domain/events.ts'
import { sha256 } from '../../src/protocol/hash.ts'
import type { ClientTransport, Envelope } from '../../src/transport/port.ts'
import { createRabbitServer } from '../../src/transport/rabbitmq/server.ts'
import { fastClock } from '../support/fast-clock.ts'
import { startRabbit } from '../support/servers/rabbitmq.ts'
import { serverFor } from '../support/servers/server.ts'
import { until, within } from '../support/wait.ts'
import { rabbitFixture } from './transport-rabbitmq.ts'
import { heldAnswers, message, outcomeOf, right, signIn, signingIn } from './transport.support.ts'

const installed = (await serverFor('rabbitmq')) !== undefined
const directory = mkdtempSync(join(tmpdir(), 'eventsync-rabbit-'))
/** A broker of its own: what is done to it here would disturb others. */
const rabbit = installed ? await startRabbit(directory) : undefined
const SHARDS = ['eventsync.requests.0', 'eventsync.requests.1']

describe.skipIf(rabbit === undefined)('rabbitmq: what goes wrong at the broker', () => {
  let net: Awaited<ReturnType<typeof rabbitFixture>>
  let started: AsyncDisposable[] = []
  beforeEach(async () => {
    net = await rabbitFixture(rabbit?.url ?? '', fastClock(4))
    started = []
  })
  afterEach(async () => {
    await Promise.all(started.map((each) => each[Symbol.asyncDispose]()))
    await net[Symbol.asyncDispose]()
  })
  afterAll(async () => {
    await rabbit?.stop()
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  })

  const serve = async (handler = signingIn()) => {
    const server = await net.server()
    started.push(server)
    server.serve(handler)
    return server
  }
  const client = (): ClientTransport => {
    const made = net.client({ signIn: signIn(), requestTimeoutMs: 20_000 })
    started.push(made)
    return made
  }
  /** Asks again and again, as an agent does. */
  const answered = (asks: ClientTransport, fields = {}): Promise<Envelope> =>
    until('an answer', async () => {
      const answer = await asks.request(message(fields))()
      return answer._tag === 'Right' && answer.right.message['Status'] === 200 ? answer.right : undefined
    })

  it('goes on after a kill of the broker, and what it had taken is handled', async () => {
    const begun: unknown[] = []
    await serve(
      signingIn(async ({ message: sent }) => {
        begun.push(sent['N'])
        return message({ Status: 200, Of: sent['N'] ?? '' })
      }),
    )
    const asks = client()
    await answered(asks, { N: 'before' })
    const lost = asks.request(message({ N: 'meanwhile' }))()
    await until('the request to begin', () => begun.includes('meanwhile'))
    await rabbit?.kill()
    expect(['answered', 'Unreachable']).toContain(outcomeOf(await lost))
    expect(outcomeOf(await asks.request(message({ N: 'nobody' }))())).toBe('Unreachable')
    await rabbit?.start()
    expect((await answered(asks, { N: 'after' })).message).toMatchObject({ Of: 'after' })
    // An acknowledgement that the broker had not written down is forgotten: then the request comes once more.
    expect(new Set(begun)).toEqual(new Set(['before', 'meanwhile', 'after']))
  }, 120_000)

  it('hands over to a gateway that stands by when the one that reads a queue ends: nothing lost, each folder in its order', async () => {
    const handled = new Map(['a', 'b', 'c', 'd'].map((folder): [string, number[]] => [folder, []]))
    const by = { first: 0, second: 0 }
    const handlerOf = (name: keyof typeof by) =>
      signingIn(async ({ message: { Folder: folder, N: n } }) => {
        by[name] += 1
        handled.get(typeof folder === 'string' ? folder : '')?.push(Number(n))
        return message({ Status: 200 })
      })
    const first = await serve(handlerOf('first'))
    await serve(handlerOf('second'))
    const asks = client()
    const sending = [...handled.keys()].map(async (folder) => {
      for (let n = 0; n < 50; n += 1) {
        await answered(asks, { Folder: folder, N: n })
        if (folder === 'a' && n === 20) void first[Symbol.asyncDispose]()
      }
    })
    await Promise.all(sending)
    expect(by.first).toBeGreaterThan(0)
    expect(by.second).toBeGreaterThan(0)
    for (const numbers of handled.values()) {
      expect(new Set(numbers).size).toBe(50)
      expect(numbers).toEqual(numbers.toSorted((one, other) => one - other))
    }
  })

  it('declares a queue again that somebody deleted, and a channel again that the broker closed', async () => {
    const server = await serve()
    const asks = client()
    await answered(asks)
    for (const queue of SHARDS) await net.broker.vhost.api('DELETE', `queues/${net.broker.vhost.name}/${queue}`)
    await answered(asks)
    // Publishing to an exchange that is gone closes the channel that answers go out on.
    await net.broker.vhost.api('DELETE', `exchanges/${net.broker.vhost.name}/eventsync.notifications`)
    server.notify(['A'.repeat(32) as never], { folder: 'f', position: 1 })
    await answered(asks)
  })

  it('delivers again what a gateway had not answered when it was cut off, and the answer still finds its way', async () => {
    const held = heldAnswers()
    const deaf = await serve(signingIn(held.handler))
    const asks = client()
    const request = asks.request(message({ N: 1 }))()
    await until('the request to begin', () => held.begun.length === 1)
    void deaf[Symbol.asyncDispose]()
    const next = await serve(signingIn(async ({ message: sent }) => message({ Status: 200, Again: sent['N'] ?? '' })))
    expect(right(await request).message).toEqual({ Status: 200, Again: 1 })
    held.answer(0)
    expect(next).toBeDefined()
  })

  it.each(['with a question', 'without one'])(
    'notices that no gateway is there any more (%s), and comes back by itself',
    async (how) => {
      const server = await serve()
      const asks = client()
      await answered(asks)
      let connected = true
      asks.notifications(({ tag }) => {
        if (tag !== 'FolderAt') connected = tag === 'Connected'
      })
      await server[Symbol.asyncDispose]()
      if (how === 'with a question') expect(outcomeOf(await asks.request(message({}))())).toBe('Unreachable')
      await until('the client to notice', () => !connected, 25)
      await serve()
      await answered(asks)
      expect(connected).toBe(true)
    },
    60_000,
  )

  it('answers a request once more that is delivered twice: at least once, and no sender waits for ever', async () => {
    let begun = 0
    await serve(
      signingIn(async () => {
        begun += 1
        // The connection that its answer would go out on ends first.
        if (begun === 1) await net.broker.management.disconnect(new URL(net.broker.url).username as never)
        return message({ Status: 200, Times: begun })
      }),
    )
    const asks = client()
    const answer = await answered(asks)
    expect(Number(answer.message['Times'])).toBeGreaterThan(1)
  })

  it('keeps nothing back in its own memory while the broker has an alarm, and goes on when it is over', async () => {
    await serve()
    const asks = client()
    await answered(asks)
    await rabbit?.ctl('set_vm_memory_high_watermark', '0.0000001')
    const before = process.memoryUsage().arrayBuffers
    const gaveUp = new AbortController()
    const payload = new Uint8Array(1024 * 1024)
    const requests = Array.from({ length: 256 }, () => asks.request(message({}, payload), gaveUp.signal)())
    const probe = await until('the client to know', async () => {
      const answer = await asks.request(message({}), AbortSignal.timeout(500))()
      return answer._tag === 'Right' && answer.right.message['Status'] === 503 ? answer.right.message : outcomeOf(answer) === 'Unreachable'
    })
    expect(probe).toBeDefined()
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024)
    await rabbit?.ctl('set_vm_memory_high_watermark', '0.6')
    gaveUp.abort()
    await Promise.all(requests)
    await answered(asks)
  }, 60_000)

  it('keeps no upload waiting while the broker has an alarm', async () => {
    const gateways: number[] = []
    const serving = () => {
      const made = createRabbitServer({
        clock: fastClock(4),
        random: randomBytes,
        broker: { url: net.broker.url },
        shards: SHARDS.length,
        disconnect: async () => undefined,
        shares: (now) => gateways.push(now.gateways),
      })
      started.push(made)
      return made
    }
    const first = serving()
    serving()
    await until('both to hear of each other', () => gateways.filter((count) => count === 2).length >= 2)
    await rabbit?.ctl('set_vm_memory_high_watermark', '0.0000001')
    // Any text will do for an account here.
    const upload = () => first.uploaded('account' as AccountId, [{ hash: sha256('a chunk'), size: 7 }])
    await within('many uploads to be told, or given up', Promise.all(Array.from({ length: 1000 }, upload)), 10)
    await rabbit?.ctl('set_vm_memory_high_watermark', '0.6')
    await within('an upload to be told again', upload(), 10)
  }, 60_000)
})
