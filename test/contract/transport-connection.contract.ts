import { describe, expect, it } from 'vitest'
import type { Peer } from '../../src/transport/port.ts'
import type { ServerEvent } from '../../src/transport/session/options.ts'
import type { TransportAdapter } from './transport.adapters.ts'
import {
  AGENT,
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

const signingInContract = (net: Network): void => {
  it("lets requests through once the sign-in over this connection's nonce is answered with 200", async () => {
    const peers: (Pick<Peer, 'agent' | 'nonce' | 'plain'> & { readonly action: unknown })[] = []
    const server = await net.server()
    const handler = signingIn()
    server.serve((envelope, peer, signal) => {
      peers.push({ agent: peer.agent, nonce: peer.nonce, plain: peer.plain, action: envelope.message['Action'] })
      return handler(envelope, peer, signal)
    })
    for (const _ of [1, 2]) right(await net.client({ signIn: signIn() }).request(message({ Action: 'Sync' }))())
    expect(peers.map(({ action, agent, plain }) => [action, agent, plain])).toEqual([
      ['SignIn', undefined, false],
      ['Sync', AGENT, false],
      ['SignIn', undefined, false],
      ['Sync', AGENT, false],
    ])
    expect(peers[0]?.nonce).toMatch(/^[0-9a-f]{32}$/)
    expect(peers[0]?.nonce).not.toBe(peers[2]?.nonce)
  })

  it('closes a connection that does nothing and has not signed in', async () => {
    const events: ServerEvent[] = []
    const server = await net.server({ log: (event) => events.push(event), limits: { signInMs: 1000 } })
    server.serve(signingIn())
    await connected(net.client({ signIn: signIn() }))
    await connected(net.client())
    await eventually(() => expect(events.filter(({ tag }) => tag === 'Closed')).not.toEqual([]))
    const closed = events.flatMap((event) => (event.tag === 'Closed' ? [[event.peer.agent, event.reason]] : []))
    expect(closed[0]).toEqual([undefined, 'It did not sign in in time.'])
    expect(closed.some(([agent]) => agent === AGENT)).toBe(false)
  })
}

const reconnecting = (net: Network): void => {
  it('finds the next gateway after the last one has gone', async () => {
    const first = await net.server()
    first.serve(async () => message({ Gateway: 1 }))
    const client = net.client()
    const heard = notificationsOf(client)
    expect(right(await client.request(message({}))()).message).toEqual({ Gateway: 1 })
    await first[Symbol.asyncDispose]()
    await eventually(() => expect(heard.at(-1)).toMatchObject({ tag: 'Disconnected' }))
    const second = await net.server()
    second.serve(async () => message({ Gateway: 2 }))
    await eventually(() => expect(heard.at(-1)).toEqual({ tag: 'Connected' }))
    expect(right(await client.request(message({}))()).message).toEqual({ Gateway: 2 })
  })

  it('tells a handler that the connection of its request has broken', async () => {
    const server = await net.server()
    const aborted: boolean[] = []
    let begun = 0
    server.serve(
      signingIn(async (_, __, signal) => {
        begun += 1
        if (begun === 1) {
          net.cut()
          await eventually(() => expect(signal.aborted).toBe(true))
        }
        aborted.push(signal.aborted)
        return DONE
      }),
    )
    const client = net.client({ signIn: signIn() })
    expect(outcomeOf(await client.request(message({ N: 1 }))())).toBe('Unreachable')
    await eventually(async () => expect(outcomeOf(await client.request(message({ N: 1 }))())).toBe('answered'))
    await eventually(() => expect(aborted).toEqual([true, false]))
  })
}

const notifying = (net: Network): void => {
  it('tells nothing to a connection that has not signed in', async () => {
    const server = await net.server()
    server.serve(signingIn())
    const [signed, anonymous] = await Promise.all([net.client({ signIn: signIn() }), net.client()].map(connected))
    for (let position = 0; position < 100; position += 1) server.notify([AGENT], { folder: 'f', position })
    await eventually(() => expect(signed?.filter(({ tag }) => tag === 'FolderAt')).toHaveLength(100))
    expect(anonymous?.filter(({ tag }) => tag === 'FolderAt')).toEqual([])
  })
}

const ending = (net: Network): void => {
  it('drains when it is disposed: answers what was begun, begins nothing more', async () => {
    const held = heldAnswers()
    const server = await net.server({ limits: { maxInFlight: 2 } })
    server.serve(held.handler)
    const client = net.client()
    const heard = await connected(client)
    const big = new Uint8Array(4_000_000).fill(7)
    const requests = [1, 2, 3, 4].map((n) => client.request(message({ N: n }))())
    await eventually(() => expect(held.begun).toHaveLength(2))
    const stopped = server[Symbol.asyncDispose]()
    held.answer(1, message({ Of: 2 }, big))
    held.answer(0, message({ Of: 1 }, big))
    await stopped
    const answers = await Promise.all(requests)
    expect(answers.map(outcomeOf)).toEqual(['answered', 'answered', 'Unreachable', 'Unreachable'])
    expect(answers.slice(0, 2).map((answer) => [right(answer).message, right(answer).payload.byteLength])).toEqual([
      [{ Of: 1 }, 4_000_000],
      [{ Of: 2 }, 4_000_000],
    ])
    await eventually(() => expect(heard.at(-1)).toMatchObject({ tag: 'Disconnected', refused: false }))
    expect(held.begun).toHaveLength(2)
  })
}

/** What holds, besides, where there is a connection between agent and gateway, and no broker. */
export const connectionContract = (adapter: TransportAdapter): void => {
  const net = networkOf(adapter)
  describe('signs in', () => signingInContract(net))
  describe('reconnects', () => reconnecting(net))
  describe('notifies', () => notifying(net))
  describe('ends', () => ending(net))
}
