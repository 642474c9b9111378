import { describe, expect, it } from 'vitest'
import { MemoryNetwork, type Fate, type MemoryNetworkOptions } from '../../src/transport/memory.ts'
import { NO_BYTES, type Handler, type Notification, type ServerTransport } from '../../src/transport/port.ts'
import { Scheduler } from '../model/scheduler.ts'
import { AGENT, DONE, message, outcomeOf, signIn, signingIn } from './transport.support.ts'

const world = (options: Partial<MemoryNetworkOptions> = {}) => {
  const scheduler = new Scheduler()
  const clock = scheduler.clock({ wallMs: 0 }, () => true)
  return { scheduler, clock, network: new MemoryNetwork({ clock, ...options }) }
}

/** Serves what answers with the order in which it was asked. */
const counting = (server: ServerTransport): number[] => {
  const handled: number[] = []
  server.serve(
    signingIn(async ({ message: { N: n } }) => {
      handled.push(Number(n))
      return message({ Of: n ?? null })
    }),
  )
  return handled
}

const arrives = (...after: readonly number[]): Fate => ({ tag: 'Arrives', after })

describe('the memory network, on simulated time', () => {
  it('delays, duplicates and reorders as it is told', async () => {
    const delays = [30, 10, 20]
    const { scheduler, network } = world({
      fate: ({ frame: { type, head } }) => {
        if (type !== 'request') return arrives(5)
        const n = Number(head['N'])
        return arrives(delays[n] ?? 0, ...(n === 1 ? [50] : []))
      },
    })
    const handled = counting(network.server())
    const client = network.client({ name: 'a' })
    await scheduler.runFor(10)
    const answered: (readonly [unknown, number])[] = []
    for (const n of [0, 1, 2]) {
      void client
        .request(message({ N: n }))()
        .then((answer) => answered.push([answer, scheduler.now]))
    }
    await scheduler.runFor(100)
    expect(handled).toEqual([1, 2, 0, 1])
    const answer = (n: number): unknown => expect.objectContaining({ right: { message: { Of: n }, payload: Buffer.alloc(0) } })
    expect(answered).toEqual([
      [answer(1), 25],
      [answer(2), 35],
      [answer(0), 45],
    ])
  })

  it('loses requests and answers: they are Unreachable in the end, handled or not', async () => {
    const { scheduler, network } = world({
      fate: ({ frame: { type, head } }) => (head['N'] === 1 || (type === 'answer' && head['Of'] === 2) ? arrives() : arrives(0)),
    })
    const handled = counting(network.server())
    const client = network.client({ name: 'a', requestTimeoutMs: 1000 })
    const requests = Promise.all([1, 2, 3].map((n) => client.request(message({ N: n }))()))
    expect((await scheduler.drive(requests)).map(outcomeOf)).toEqual(['Unreachable', 'Unreachable', 'answered'])
    expect(handled).toEqual([2, 3])
    expect(scheduler.now).toBeGreaterThanOrEqual(1000)
    expect(scheduler.now).toBeLessThanOrEqual(1500)
  })

  it('breaks the connection at a frame', async () => {
    let cuts = 1
    const { scheduler, network } = world({
      fate: ({ frame: { type } }) => (type === 'answer' && (cuts -= 1) === 0 ? { tag: 'Cut' } : arrives(0)),
    })
    const handled = counting(network.server())
    const client = network.client({ name: 'a' })
    expect(outcomeOf(await scheduler.drive(client.request(message({ N: 1 }))()))).toBe('Unreachable')
    await scheduler.runFor(1000)
    expect(outcomeOf(await scheduler.drive(client.request(message({ N: 1 }))()))).toBe('answered')
    expect(handled).toEqual([1, 1])
  })

  it('tries again after 50 ms, then with pauses twice as long each time, up to 30 s, and soon after a good connection', async () => {
    const attempts: number[] = []
    const { scheduler, network } = world({
      random: (size) => new Uint8Array(size).fill(0xff),
      reachable: () => {
        attempts.push(scheduler.now)
        return attempts.length > 14
      },
    })
    counting(network.server())
    const client = network.client({ name: 'a', signIn: signIn() })
    await scheduler.runFor(300_000)
    const pauses = attempts.slice(1).map((at, index) => Math.round(at - (attempts[index] ?? 0)))
    expect(pauses).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 30_000, 30_000, 30_000])
    network.cut()
    const from = scheduler.now
    await scheduler.runFor(1000)
    expect(attempts.map((at) => Math.round(at - from)).at(-1)).toBe(50)
    await client[Symbol.asyncDispose]()
  })

  it('tries a refused sign-in again only after a minute', async () => {
    const { scheduler, network } = world()
    let asked = 0
    network.server().serve(async () => {
      asked += 1
      return message({ Status: asked > 1 ? 200 : 403, Reason: 'Not yet.' })
    })
    const heard: Notification[] = []
    network.client({ name: 'a', signIn: signIn() }).notifications((told) => heard.push(told))
    await scheduler.runFor(59_000)
    expect(heard.at(-1)).toEqual({ tag: 'Disconnected', reason: 'Not yet.', refused: true })
    await scheduler.runFor(2000)
    expect([asked, heard.at(-1)]).toEqual([2, { tag: 'Connected' }])
  })

  it('tells a killed client nothing, and the gateway that it has gone; a crashed gateway hears nothing, and its clients do', async () => {
    const { scheduler, network } = world()
    const aborted: string[] = []
    const waiting: Handler = (_, peer, signal) => {
      signal.addEventListener('abort', () => aborted.push(peer.address))
      return new Promise(() => undefined)
    }
    network.server().serve(signingIn(waiting))
    const heard: string[] = []
    for (const name of ['a', 'b']) {
      const client = network.client({ name, signIn: signIn() })
      await scheduler.runFor(1)
      client.notifications(({ tag }) => heard.push(`${name} ${tag}`))
      void client
        .request(message({}))()
        .then((answer) => heard.push(`${name} ${outcomeOf(answer)}`))
    }
    await scheduler.runFor(1)
    expect([heard, aborted]).toEqual([['a Connected', 'b Connected'], []])
    network.kill('a')
    await scheduler.runFor(1)
    expect([heard.length, aborted]).toEqual([2, ['a']])
    network.crash()
    await scheduler.runFor(1)
    expect([heard.slice(2), aborted]).toEqual([['b Unreachable', 'b Disconnected'], ['a']])
  })

  it('is the same in every run', async () => {
    const run = async (): Promise<readonly unknown[]> => {
      const trace: unknown[] = []
      let count = 0
      const { scheduler, network } = world({
        fate: ({ client, direction, frame }) => {
          count = (count * 7 + 3) % 101
          trace.push([client, direction, frame.type, frame.id, frame.head, count])
          return count % 10 === 0 ? { tag: 'Cut' } : arrives(...[[], [count], [count, count + 5], [0]].at(count % 4)!)
        },
      })
      const server = network.server()
      counting(server)
      for (const name of ['a', 'b', 'c']) {
        const client = network.client({ name, signIn: signIn(), requestTimeoutMs: 500 })
        client.notifications((told) => trace.push([name, told, scheduler.now]))
        for (let n = 0; n < 20; n += 1)
          void client
            .request({ message: { N: n }, payload: NO_BYTES })()
            .then((answer) => trace.push([name, n, outcomeOf(answer)]))
      }
      for (let n = 0; n < 50; n += 1) {
        server.notify([AGENT], { folder: 'f', position: n })
        await scheduler.runFor(100)
      }
      return trace
    }
    const first = await run()
    expect(first.length).toBeGreaterThan(100)
    expect(await run()).toEqual(first)
  })

  it('copies what is sent', async () => {
    const { scheduler, network } = world()
    const server = network.server()
    const seen: Uint8Array[] = []
    server.serve(async ({ payload }) => {
      seen.push(payload)
      return DONE
    })
    const bytes = new Uint8Array(100_000).fill(1)
    const client = network.client({ name: 'a' })
    await scheduler.drive(client.request(message({}, bytes))())
    bytes.fill(2)
    expect(seen[0]?.every((byte) => byte === 1)).toBe(true)
  })
})
