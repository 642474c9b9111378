import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { MAX_HEAD, MAX_PAYLOAD, type Notification } from '../../src/transport/port.ts'
import type { TransportAdapter } from './transport.adapters.ts'
import {
  AGENT,
  agentKey,
  connected,
  DONE,
  eventually,
  heldAnswers,
  message,
  networkOf,
  notificationsOf,
  outcomeOf,
  right,
  signIn,
  signingIn,
  type Network,
} from './transport.support.ts'

const OTHER = agentKey('B')
const positions = (heard: readonly Notification[]): readonly number[] =>
  heard.flatMap((told) => (told.tag === 'FolderAt' ? [told.position] : []))
const states = (heard: readonly Notification[]): readonly string[] => heard.flatMap((told) => (told.tag === 'FolderAt' ? [] : [told.tag]))

const signingInContract = (net: Network): void => {
  it('tells a refused sign-in from a gateway out of reach, and lets no request through', async () => {
    const server = await net.server()
    const handled: unknown[] = []
    server.serve(async ({ message: { Action: action } }) => {
      handled.push(action)
      return message({ Status: 403, Reason: 'It has been revoked.' })
    })
    const client = net.client({ signIn: signIn() })
    const heard = notificationsOf(client)
    expect(await client.request(message({ Action: 'Sync' }))()).toEqual({
      _tag: 'Left',
      left: { tag: 'SignInRefused', reason: 'It has been revoked.' },
    })
    expect(heard.at(-1)).toEqual({ tag: 'Disconnected', reason: 'It has been revoked.', refused: true })
    expect(outcomeOf(await client.request(message({ Action: 'Sync' }))())).toBe('SignInRefused')
    expect(handled).toEqual(['SignIn'])
  })

  it('tries again after a sign-in that failed for another reason', async () => {
    const server = await net.server()
    let attempts = 0
    server.serve(async () => message({ Status: (attempts += 1) < 3 ? 503 : 200 }))
    const heard = await connected(net.client({ signIn: signIn() }))
    expect(attempts).toBe(3)
    expect(heard.filter((told) => told.tag === 'Disconnected' && told.refused)).toEqual([])
  })
}

const reconnecting = (net: Network): void => {
  it('connects as soon as there is a gateway, and again whenever the connection breaks', async () => {
    const client = net.client({ signIn: signIn() })
    const heard = notificationsOf(client)
    expect(heard).toEqual([{ tag: 'Disconnected', reason: 'Not connected yet.', refused: false }])
    const server = await net.server()
    server.serve(signingIn())
    for (let times = 1; times <= 3; times += 1) {
      await eventually(() => expect(states(heard).filter((state) => state === 'Connected')).toHaveLength(times))
      right(await client.request(message({}))())
      net.cut()
    }
    await eventually(() => expect(heard.at(-1)).toEqual({ tag: 'Connected' }))
    expect(notificationsOf(client)).toEqual([{ tag: 'Connected' }])
  })

  it('answers Unreachable when the connection breaks before the answer: it was handled all the same', async () => {
    const server = await net.server()
    const handled: unknown[] = []
    server.serve(
      signingIn(async (envelope) => {
        handled.push(envelope.message['N'])
        if (handled.length === 1) net.cut()
        return DONE
      }),
    )
    const client = net.client({ signIn: signIn() })
    const heard = notificationsOf(client)
    expect(outcomeOf(await client.request(message({ N: 1 }))())).toBe('Unreachable')
    await eventually(() => expect(states(heard)).toEqual(['Disconnected', 'Connected', 'Disconnected', 'Connected']))
    expect(outcomeOf(await client.request(message({ N: 1 }))())).toBe('answered')
    expect(handled).toEqual([1, 1])
  })
}

const notifying = (net: Network): void => {
  it('tells every connection of the agents that are named, and no other, in order', async () => {
    const server = await net.server()
    server.serve(signingIn())
    const heard = await Promise.all([AGENT, AGENT, OTHER].map((key) => connected(net.client({ signIn: signIn(key) }))))
    for (let position = 0; position < 100; position += 1) server.notify([AGENT, agentKey('C')], { folder: 'f', position })
    server.notify([OTHER], { folder: 'f', position: 1000 })
    const all = Array.from({ length: 100 }, (_, position) => position)
    await eventually(() => expect(heard.map(positions)).toEqual([all, all, [1000]]))
    expect(heard[0]?.at(-1)).toEqual({ tag: 'FolderAt', folder: 'f', position: 99 })
  })

  it('brings pages along, byte for byte, and leaves out one that is larger than a message', async () => {
    const server = await net.server()
    server.serve(signingIn())
    const heard = await connected(net.client({ signIn: signIn() }))
    const pages = [message({ From: 1 }, randomBytes(100)), message({ From: 2 }, randomBytes(48 * 1024)), message({ From: 3 })]
    for (const [position, page] of pages.entries()) server.notify([AGENT], { folder: 'f', position, page })
    server.notify([AGENT], { folder: 'f', position: 3, page: message({ Long: 'x'.repeat(MAX_HEAD) }) })
    server.notify([AGENT], { folder: 'f', position: 4, page: message({}, new Uint8Array(MAX_PAYLOAD + 1)) })
    await eventually(() => expect(positions(heard)).toEqual([0, 1, 2, 3, 4]))
    const [, ...told] = heard.filter(({ tag }) => tag !== 'Disconnected')
    for (const [at, { message: fields, payload }] of pages.entries()) {
      const page = told[at]?.tag === 'FolderAt' ? told[at].page : undefined
      expect(page?.message).toEqual(fields)
      expect(Buffer.from(page?.payload ?? []).equals(payload)).toBe(true)
    }
    expect(told.slice(3)).toEqual([3, 4].map((position) => ({ tag: 'FolderAt', folder: 'f', position })))
  })

  it('goes on after a reconnection, and stops for a listener that has left', async () => {
    const server = await net.server()
    server.serve(signingIn())
    const client = net.client({ signIn: signIn() })
    const left: Notification[] = []
    const leave = client.notifications((told) => left.push(told))
    const heard = await connected(client)
    server.notify([AGENT], { folder: 'f', position: 1 })
    await eventually(() => expect(positions(heard)).toEqual([1]))
    leave()
    net.cut()
    await eventually(() => expect(states(heard)).toEqual(['Disconnected', 'Connected', 'Disconnected', 'Connected']))
    server.notify([AGENT], { folder: 'f', position: 2 })
    await eventually(() => expect(positions(heard)).toEqual([1, 2]))
    expect([positions(left), states(left)]).toEqual([[1], ['Disconnected', 'Connected']])
  })
}

const ending = (net: Network): void => {
  it('disconnects an agent at once: nothing of it is answered or begun any more, and the others stay', async () => {
    const held = heldAnswers()
    let revoked = false
    const server = await net.server({ limits: { maxInFlight: 1 } })
    const handler = signingIn(held.handler)
    server.serve(async (envelope, peer, signal) =>
      revoked && envelope.message['Key'] === AGENT
        ? message({ Status: 403, Reason: 'It has been revoked.' })
        : handler(envelope, peer, signal),
    )
    const client = net.client({ signIn: signIn() })
    const other = net.client({ signIn: signIn(OTHER) })
    const [heard, otherHeard] = await Promise.all([client, other].map(connected))
    const requests = [1, 2, 3].map((n) => client.request(message({ N: n }))())
    await eventually(() => expect(held.begun).toHaveLength(1))
    revoked = true
    server.disconnect(AGENT, 'It has been revoked.')
    held.answer(0)
    expect((await Promise.all(requests)).map(outcomeOf)).toEqual(['Unreachable', 'Unreachable', 'Unreachable'])
    await eventually(() => expect(heard?.at(-1)).toEqual({ tag: 'Disconnected', reason: 'It has been revoked.', refused: true }))
    expect(outcomeOf(await client.request(message({}))())).toBe('SignInRefused')
    server.notify([AGENT, OTHER], { folder: 'f', position: 7 })
    await eventually(() => expect(positions(otherHeard ?? [])).toEqual([7]))
    expect(positions(heard ?? [])).toEqual([])
    expect(held.begun).toHaveLength(1)
  })

  it('does not wait for ever for a handler that hangs', async () => {
    const server = await net.server({ limits: { drainMs: 1000 } })
    server.serve(() => new Promise(() => undefined))
    const request = net.client().request(message({}))()
    await connected(net.client())
    await server[Symbol.asyncDispose]()
    expect(outcomeOf(await request)).toBe('Unreachable')
  })
}

/** What every transport's clients see of the line to their gateway. */
export const sessionContract = (adapter: TransportAdapter): void => {
  const net = networkOf(adapter)
  describe('signs in', () => signingInContract(net))
  describe('reconnects', () => reconnecting(net))
  describe('notifies', () => notifying(net))
  describe('ends', () => ending(net))
}
