import { expect, describe, it } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { MAX_PAYLOAD } from '../../src/transport/port.ts'
import { Connection } from '../../src/transport/session/connection.ts'
import { SERVER_LIMITS, type ServerEvent } from '../../src/transport/session/options.ts'
import { ConnectedPeer } from '../../src/transport/session/peer.ts'
import { toMakeWay } from '../../src/transport/websocket/admission.ts'
import { OPCODES, RawPeer } from '../support/raw-websocket.ts'
import { agentKey, DONE, eventually, message, signIn, signingIn } from './transport.support.ts'
import { nextFrame, requestBytes, startServer, SUBPROTOCOL } from './transport-websocket.support.ts'

/** The nonce of a challenge. */
const textOf = (nonce: unknown): string => (typeof nonce === 'string' ? nonce : '')

/** A connection whose peer reads only when the test says so; what is made for it and has not left is counted. */
const unreadConnection = () => {
  const held = { making: 0, most: 0, begun: 0, buffered: 0 }
  const flushes: (() => void)[] = []
  const count = (): void => void (held.most = Math.max(held.most, held.making + held.buffered))
  const handler = async () => {
    held.begun += 1
    held.making += MAX_PAYLOAD
    count()
    await new Promise(setImmediate)
    held.making -= MAX_PAYLOAD
    return DONE
  }
  const pipe = {
    buffered: () => held.buffered,
    pause: () => undefined,
    resume: () => undefined,
    close: () => undefined,
    terminate: () => undefined,
  }
  const peer = new ConnectedPeer({ id: 'c1', address: '::1', nonce: '', plain: false }, () => undefined)
  const connection = new Connection(pipe, peer, {
    clock: systemClock,
    limits: SERVER_LIMITS,
    handler: () => handler,
    log: () => undefined,
  })
  const reply = (): Promise<void> =>
    connection.put((flushed) => {
      held.buffered += MAX_PAYLOAD
      count()
      flushes.push(() => {
        held.buffered -= MAX_PAYLOAD
        flushed()
      })
    })
  const ask = (action: string): void => connection.handle(message({ Action: action }), reply)
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
  }
  return { held, ask, settle, read: () => flushes.shift()?.() }
}

describe('the answers of one connection', () => {
  it('never hold more than their bound while the peer does not read, and all come once it does (I16)', async () => {
    const { held, ask, settle, read } = unreadConnection()
    for (let n = 0; n < 60; n += 1) ask('Open')
    await settle()
    expect(held.begun).toBe(SERVER_LIMITS.maxAnswerBytes / MAX_PAYLOAD)
    for (let n = 0; n < 60; n += 1) {
      read()
      await settle()
    }
    expect([held.begun, held.buffered]).toEqual([60, 0])
    expect(held.most).toBeLessThanOrEqual(SERVER_LIMITS.maxAnswerBytes)
  })

  it('leave room for requests whose answers are small', async () => {
    const { held, ask, settle } = unreadConnection()
    for (let n = 0; n < SERVER_LIMITS.maxInFlight; n += 1) ask('Missing')
    expect(held.begun).toBe(SERVER_LIMITS.maxInFlight)
    await settle()
  })
})

describe('the connections of one agent', () => {
  it('are so many: one more ends the oldest, and no other agent is touched (I16)', async () => {
    const server = await startServer({ limits: { maxPerAgent: 2 } })
    server.serve(signingIn())
    const signedIn = async (digit: string): Promise<RawPeer> => {
      const peer = new RawPeer(server.address.port, SUBPROTOCOL)
      const { Nonce: nonce } = (await nextFrame(peer)).head
      peer.send(OPCODES.binary, requestBytes({ head: signIn(agentKey(digit))(textOf(nonce)) }))
      expect(await nextFrame(peer)).toMatchObject({ head: { Status: 200 } })
      return peer
    }
    const other = await signedIn('B')
    const [first, second] = [await signedIn('A'), await signedIn('A')]
    const third = await signedIn('A')
    expect(await first.end()).toEqual({ code: 1008, reason: 'This device has too many connections: the oldest was closed.' })
    for (const peer of [other, second, third]) {
      peer.send(OPCODES.binary, requestBytes({ id: 9 }))
      expect(await nextFrame(peer)).toMatchObject({ id: 9, head: { Status: 200 } })
    }
  })
})

describe('strangers', () => {
  const from = (address: string, name: string) => ({ name, peer: { address } })
  const limits = { maxConnections: 100, maxUnsigned: 6, maxUnsignedPerAddress: 2 }

  it('make way by their address, the oldest first, and on loopback by half of the whole', () => {
    const strangers = [from('1.1.1.1', 'a'), from('2.2.2.2', 'b'), from('2.2.2.2', 'c'), from('::1', 'd'), from('::1', 'e')]
    expect(toMakeWay('2.2.2.2', strangers, limits)?.name).toBe('b')
    expect(toMakeWay('1.1.1.1', strangers, limits)).toBeUndefined()
    expect(toMakeWay('::1', strangers, limits)).toBeUndefined()
    expect(toMakeWay('::1', [...strangers, from('::1', 'f')], limits)?.name).toBe('d')
    expect(toMakeWay('3.3.3.3', [...strangers, from('::1', 'f')], limits)?.name).toBe('a')
  })

  it.each([
    ['with the framing', SUBPROTOCOL],
    ['without the subprotocol', {}],
  ])('%s who hold every place shut nobody out', async (_, headers) => {
    const server = await startServer({ clock: systemClock, connections: { maxUnsigned: 8, maxUnsignedPerAddress: 2 } })
    server.serve(signingIn())
    const idle = Array.from({ length: 20 }, () => new RawPeer(server.address.port, headers))
    await eventually(() => expect(idle.every(({ response }) => response.startsWith('HTTP/1.1 101'))).toBe(true))
    expect(await idle[0]!.end()).toEqual({ code: 1008, reason: 'It did not sign in before too many others came.' })
    const peer = new RawPeer(server.address.port, SUBPROTOCOL)
    const { Nonce: nonce } = (await nextFrame(peer)).head
    peer.send(OPCODES.binary, requestBytes({ head: signIn()(textOf(nonce)) }))
    expect(await nextFrame(peer)).toMatchObject({ head: { Status: 200 } })
  })

  it.each([
    ['with the framing', SUBPROTOCOL],
    ['without the subprotocol', {}],
  ])('%s buy no time by requests that are refused', async (_, headers) => {
    const events: ServerEvent[] = []
    const server = await startServer({ limits: { signInMs: 4000 }, log: (event) => events.push(event) })
    server.serve(async () => message({ Status: 403 }))
    const peer = new RawPeer(server.address.port, headers)
    const pesters = setInterval(() => {
      if ('Sec-WebSocket-Protocol' in headers) peer.send(OPCODES.binary, requestBytes({}))
      else peer.send(OPCODES.text, '{}')
    }, 20)
    try {
      expect(await peer.end()).toEqual({ code: 1008, reason: 'It did not sign in in time.' })
    } finally {
      clearInterval(pesters)
    }
  })

  it('are none whose password was right: they may be idle for longer, and make way for nobody', async () => {
    const server = await startServer({ limits: { signInMs: 1000 }, connections: { maxUnsigned: 2, maxUnsignedPerAddress: 1 } })
    server.serve(async (_, peer) => {
      peer.proved = true
      return DONE
    })
    const known = new RawPeer(server.address.port)
    await eventually(() => expect(known.response).toMatch('HTTP/1.1 101'))
    known.send(OPCODES.text, '{}')
    await known.next()
    const stranger = new RawPeer(server.address.port)
    expect(await stranger.end()).toMatchObject({ code: 1008 })
    known.send(OPCODES.text, '{}')
    expect((await known.next()).data.toString()).toBe(JSON.stringify({ Status: 200 }))
  })
})
