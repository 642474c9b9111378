import { describe, expect, it, onTestFinished } from 'vitest'
import { NO_BYTES, type Envelope, type Peer } from '../../src/transport/port.ts'
import type { ServerEvent } from '../../src/transport/session/options.ts'
import { OPCODES, RawPeer } from '../support/raw-websocket.ts'
import { eventually, heldAnswers, message } from './transport.support.ts'
import { startServer } from './transport-websocket.support.ts'

const MIB = 1024 * 1024

/** A peer without EventSync's subprotocol. */
const plainPeer = async (port: number): Promise<RawPeer> => {
  const peer = new RawPeer(port)
  await eventually(() => expect(peer.response).toMatch('HTTP/1.1 101'))
  return peer
}

const nextJson = async (peer: RawPeer): Promise<unknown> => {
  const { opcode, data } = await peer.next()
  expect(opcode).toBe(OPCODES.text)
  return JSON.parse(data.toString('utf8'))
}

/** PySync's form of a file's way up: 100, then bytes, then 200 when they are all there. */
const pySync = (): ((envelope: Envelope, peer: Peer) => Promise<Envelope>) => {
  let expected = 0
  let sum = 0
  return async ({ message: { Action: action, File: file }, payload }) => {
    if (action === 'Create') {
      expected = Number(JSON.stringify(file).match(/\d+/)?.[0])
      return message({ Action: 'ServerResponse', Status: 100 })
    }
    expect(action).toBe('Bytes')
    sum += payload.byteLength
    return sum < expected ? message({}) : message({ Action: 'ServerResponse', Status: 200, Sum: sum })
  }
}

describe('a plain peer', () => {
  it('sends JSON, gets 100, sends the bytes in as many messages as it likes, gets 200', async () => {
    const peers: Peer[] = []
    const server = await startServer()
    const handler = pySync()
    server.serve((envelope, peer) => {
      peers.push(peer)
      return handler(envelope, peer)
    })
    const peer = await plainPeer(server.address.port)
    peer.send(OPCODES.text, JSON.stringify({ Action: 'Create', File: { OriginalName: 'name', Size: String(7 * MIB) } }))
    expect(await nextJson(peer)).toEqual({ Action: 'ServerResponse', Status: 100 })
    for (const size of [5 * MIB, MIB, 0, MIB]) peer.send(OPCODES.binary, Buffer.alloc(size))
    expect(await nextJson(peer)).toEqual({ Action: 'ServerResponse', Status: 200, Sum: 7 * MIB })
    expect(peers[0]).toMatchObject({ plain: true, agent: undefined, address: '127.0.0.1' })
  })

  it('works with a client of another make', async () => {
    const server = await startServer()
    server.serve(async ({ message: sent }) => message({ Action: 'ServerResponse', Status: 200, Sent: sent }, Buffer.from('bytes')))
    const socket = new WebSocket(`ws://127.0.0.1:${server.address.port}`)
    onTestFinished(() => socket.close())
    socket.binaryType = 'arraybuffer'
    const received: unknown[] = []
    socket.addEventListener('message', ({ data }: { readonly data: unknown }) =>
      received.push(data instanceof ArrayBuffer ? Buffer.from(data).toString('utf8') : JSON.parse(String(data))),
    )
    socket.addEventListener('open', () => socket.send('{"Action":"Sync"}'))
    await eventually(() => expect(received).toEqual([{ Action: 'ServerResponse', Status: 200, Sent: { Action: 'Sync' } }, 'bytes']))
  })

  it('gets a payload as binary messages of at most 1 MiB after the answer', async () => {
    const payload = Buffer.alloc(2.5 * MIB, 'payload')
    const server = await startServer()
    server.serve(async () => message({ Status: 200 }, payload))
    const peer = await plainPeer(server.address.port)
    peer.send(OPCODES.text, '{}')
    expect(await nextJson(peer)).toEqual({ Status: 200 })
    const pieces = [await peer.next(), await peer.next(), await peer.next()]
    expect(pieces.map(({ opcode, data }) => [opcode, data.byteLength])).toEqual([MIB, MIB, MIB / 2].map((size) => [OPCODES.binary, size]))
    expect(Buffer.concat(pieces.map(({ data }) => data)).equals(payload)).toBe(true)
  })

  it('is answered in order, one at a time', async () => {
    const held = heldAnswers()
    const server = await startServer()
    server.serve(held.handler)
    const peer = await plainPeer(server.address.port)
    for (let n = 0; n < 20; n += 1) peer.send(OPCODES.text, JSON.stringify({ N: n }))
    for (let n = 0; n < 20; n += 1) {
      await eventually(() => expect(held.begun).toHaveLength(n + 1))
      expect(held.begun.at(-1)).toEqual({ message: { N: n }, payload: NO_BYTES })
      held.answer(n, message({ Of: n }))
      expect(await nextJson(peer)).toEqual({ Of: n })
    }
  })

  it('gets a clear answer, in its turn, to what is not of the form, and goes on', async () => {
    const events: ServerEvent[] = []
    const server = await startServer({ log: (event) => events.push(event) })
    server.serve(async ({ message: sent }) => message({ Sent: sent }))
    const peer = await plainPeer(server.address.port)
    const broken = ['{"Action":', '[1]', '"text"', 'null', '', `{"Long":"${'x'.repeat(MIB)}"}`]
    for (const text of broken) {
      peer.send(OPCODES.text, text)
      peer.send(OPCODES.text, '{"Good":1}')
    }
    for (const { length } of broken) {
      const answer = await nextJson(peer)
      const expected = length < MIB ? { Status: 400, Code: 'format' } : { Status: 413, Code: 'tooLarge' }
      expect(answer).toMatchObject({ Action: 'ServerResponse', ...expected })
      expect(Object(answer)).toHaveProperty('Timestamp')
      expect(JSON.stringify(answer)).toMatch(/"Reason":"The message (is not|has \d+ bytes)/)
      expect(await nextJson(peer)).toEqual({ Sent: { Good: 1 } })
    }
    expect(events.filter(({ tag }) => tag === 'Broken')).toHaveLength(broken.length)
  })

  it('is cut off after text that is no UTF-8, and after a message that is too large', async () => {
    const { port } = (await startServer()).address
    const [first, second] = [await plainPeer(port), await plainPeer(port)]
    first.send(OPCODES.text, Buffer.from([0xff]))
    expect(await first.end()).toEqual({ code: 1007, reason: 'The text is not UTF-8.' })
    second.send(OPCODES.binary, NO_BYTES, { claim: 2 ** 31 })
    expect(await second.end()).toMatchObject({ code: 1009 })
  })

  it('is closed when it does nothing for long, not while it is at work', async () => {
    const events: ServerEvent[] = []
    const server = await startServer({ limits: { plainIdleMs: 5000, signInMs: 5000 }, log: (event) => events.push(event) })
    const held = heldAnswers()
    server.serve((envelope, peer, signal) => {
      peer.proved = true
      return held.handler(envelope, peer, signal)
    })
    const [idle, active] = [await plainPeer(server.address.port), await plainPeer(server.address.port)]
    active.send(OPCODES.text, '{}')
    expect(await idle.end()).toEqual({ code: 1008, reason: 'It did not sign in in time.' })
    expect(active.closed).toBe(false)
    held.answer(0)
    expect(await nextJson(active)).toEqual({ Status: 200 })
    expect(await active.end()).toEqual({ code: 1008, reason: 'It was idle for too long.' })
  })
})
