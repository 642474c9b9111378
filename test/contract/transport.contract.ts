import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { MAX_HEAD, MAX_PAYLOAD, NO_BYTES } from '../../src/transport/port.ts'
import type { ServerEvent } from '../../src/transport/session/options.ts'
import type { TransportAdapter } from './transport.adapters.ts'
import { connected, DONE, eventually, heldAnswers, message, networkOf, outcomeOf, right, type Network } from './transport.support.ts'

const MIB = 1024 * 1024
const answering = (net: Network): void => {
  it('carries messages and payloads both ways, byte for byte', async () => {
    const server = await net.server()
    server.serve(async ({ message: sent, payload }) => ({ message: { Status: 200, Sent: sent }, payload }))
    const client = net.client()
    const fields = { Action: 'Ünïcode ☃ 😀 \u0000', Deep: [{ a: null }, 1.5, true] }
    for (const size of [0, 1, 16 * 1024, 16 * 1024 + 1, MAX_PAYLOAD]) {
      const payload = randomBytes(size)
      const answer = right(await client.request(message(fields, payload))())
      expect(answer.message).toEqual({ Status: 200, Sent: fields })
      expect(payload.equals(answer.payload)).toBe(true)
    }
  })

  it('starts requests in the order of their arrival, and answers them in any', async () => {
    const held = heldAnswers()
    const server = await net.server()
    server.serve(held.handler)
    const client = net.client()
    const finished: number[] = []
    const requests = [0, 1, 2, 3].map(async (n) => {
      const answer = right(await client.request(message({ N: n }, new Uint8Array(n * 100_000)))())
      finished.push(n)
      return answer.message
    })
    await eventually(() => expect(held.begun.map((envelope) => envelope.message['N'])).toEqual([0, 1, 2, 3]))
    for (const n of [2, 0, 3, 1]) {
      const before = finished.length
      held.answer(n, message({ Of: n }))
      await eventually(() => expect(finished).toHaveLength(before + 1))
    }
    expect(finished).toEqual([2, 0, 3, 1])
    expect(await Promise.all(requests)).toEqual([0, 1, 2, 3].map((n) => ({ Of: n })))
  })

  it('answers 503 while nobody serves, and 500 where the handler fails or answers too much; the connection goes on', async () => {
    const events: ServerEvent[] = []
    const server = await net.server({ log: (event) => events.push(event) })
    const client = net.client()
    const ask = async (action: string): Promise<unknown> => {
      const { message: answer } = right(await client.request(message({ Action: action }))())
      return [answer['Action'], answer['Status'], answer['Code']]
    }
    expect(await ask('Early')).toEqual(['ServerResponse', 503, 'busy'])
    server.serve(async ({ message: { Action: action } }) => {
      if (action === 'Throw') throw new Error('a bug')
      return action === 'TooMuch' ? message({}, new Uint8Array(MAX_PAYLOAD + 1)) : DONE
    })
    expect(await ask('Throw')).toEqual(['ServerResponse', 500, 'fault'])
    expect(await ask('TooMuch')).toEqual(['ServerResponse', 500, 'fault'])
    expect(await ask('Fine')).toEqual([undefined, 200, undefined])
    expect(events.map(({ tag }) => tag).filter((tag) => tag !== 'Opened')).toEqual(['Fault', 'Fault'])
  })

  it('refuses what is too large before it is sent, and goes on', async () => {
    const server = await net.server()
    server.serve(async () => DONE)
    const client = net.client()
    const heard = await connected(client)
    expect(outcomeOf(await client.request(message({}, new Uint8Array(MAX_PAYLOAD + 1)))())).toBe('TooLarge')
    expect(outcomeOf(await client.request(message({ Long: 'é'.repeat(MAX_HEAD / 2) }))())).toBe('TooLarge')
    expect(outcomeOf(await client.request(message({ Long: 'é'.repeat(MAX_HEAD / 2 - 10) }, new Uint8Array(MAX_PAYLOAD)))())).toBe(
      'answered',
    )
    expect(heard.at(-1)).toEqual({ tag: 'Connected' })
  })
}

const bounded = (net: Network): void => {
  it('has at most maxInFlight requests of a connection in progress, and begins the next when one is answered', async () => {
    const held = heldAnswers()
    const server = await net.server({ limits: { maxInFlight: 3 } })
    server.serve(held.handler)
    const client = net.client()
    const requests = Array.from({ length: 50 }, (_, n) => client.request(message({ N: n }))())
    for (let n = 0; n < 50; n += 1) {
      await eventually(() => expect(held.begun).toHaveLength(Math.min(50, n + 3)))
      held.answer(n, message({ Of: n }))
      expect(right(await requests[n]!).message).toEqual({ Of: n })
    }
  })

  it('keeps memory flat while a handler never answers', async () => {
    const held = heldAnswers()
    const server = await net.server({ limits: { maxInFlight: 8, maxInFlightBytes: 4 * MIB } })
    server.serve(held.handler)
    const client = net.client()
    await connected(client)
    const payload = new Uint8Array(MIB)
    const before = process.memoryUsage().arrayBuffers
    const gaveUp = new AbortController()
    const requests = Array.from({ length: 1024 }, () => client.request(message({}, payload), gaveUp.signal)())
    await eventually(() => expect(held.begun).toHaveLength(4))
    // Whatever would go on flowing has had every chance to: another connection's requests pass many times meanwhile.
    const other = net.client()
    for (let n = 0; n < 20; n += 1) {
      void other.request(message({ Other: n }))()
      await eventually(() => expect(held.begun.some((envelope) => envelope.message['Other'] === n)).toBe(true))
      held.answer(held.begun.length - 1)
    }
    expect(held.begun.filter((envelope) => envelope.payload.byteLength > 0)).toHaveLength(4)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * MIB)
    gaveUp.abort()
    expect(new Set((await Promise.all(requests)).map(outcomeOf))).toEqual(new Set(['Unreachable']))
  })

  it('moves many megabytes both ways, many requests at a time', async () => {
    const server = await net.server()
    server.serve(async ({ payload }) => ({ message: { Status: 200 }, payload }))
    const client = net.client()
    const payload = randomBytes(MIB)
    const answers = await Promise.all(Array.from({ length: 64 }, () => client.request(message({}, payload))()))
    expect(answers.every((answer) => payload.equals(right(answer).payload))).toBe(true)
  })

  it('handles many small requests at once, each answered with its own', async () => {
    const server = await net.server()
    server.serve(async ({ message: sent }) => ({ message: sent, payload: NO_BYTES }))
    const client = net.client()
    const answers = await Promise.all(Array.from({ length: 5000 }, (_, n) => client.request(message({ N: n }))()))
    expect(answers.map((answer) => right(answer).message['N'])).toEqual(Array.from({ length: 5000 }, (_, n) => n))
  })
}

const givingUp = (net: Network): void => {
  it('answers Unreachable, soon, where no gateway is', async () => {
    const client = net.client()
    expect(outcomeOf(await client.request(message({}))())).toBe('Unreachable')
  })

  it('gives up a request when the signal aborts, at once, and drops its late answer', async () => {
    const held = heldAnswers()
    const server = await net.server()
    server.serve(held.handler)
    const client = net.client()
    const gaveUp = new AbortController()
    const request = client.request(message({ N: 0 }), gaveUp.signal)()
    await eventually(() => expect(held.begun).toHaveLength(1))
    gaveUp.abort()
    expect(outcomeOf(await request)).toBe('Unreachable')
    held.answer(0)
    const next = client.request(message({ N: 1 }))()
    await eventually(() => expect(held.begun).toHaveLength(2))
    held.answer(1, message({ Of: 1 }))
    expect(right(await next).message).toEqual({ Of: 1 })
    expect(outcomeOf(await client.request(message({ N: 2 }), gaveUp.signal)())).toBe('Unreachable')
    expect(held.begun).toHaveLength(2)
  })

  it('answers Unreachable when no answer comes in time', async () => {
    const server = await net.server()
    server.serve(() => new Promise(() => undefined))
    const client = net.client({ requestTimeoutMs: 4000 })
    expect(outcomeOf(await client.request(message({}))())).toBe('Unreachable')
  })

  it('is disposed at once: what is outstanding is Unreachable, and so is what comes after', async () => {
    const held = heldAnswers()
    const server = await net.server()
    server.serve(held.handler)
    const client = net.client()
    const request = client.request(message({}))()
    await eventually(() => expect(held.begun).toHaveLength(1))
    await client[Symbol.asyncDispose]()
    expect(outcomeOf(await request)).toBe('Unreachable')
    expect(outcomeOf(await client.request(message({}))())).toBe('Unreachable')
  })
}

/** What every transport's requests and answers keep to. */
export const requestContract = (adapter: TransportAdapter): void => {
  const net = networkOf(adapter)
  describe('answers', () => answering(net))
  describe('is bounded (I16)', () => bounded(net))
  describe('gives up', () => givingUp(net))
}
