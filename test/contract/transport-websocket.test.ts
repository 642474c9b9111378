import { randomBytes } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import fc from 'fast-check'
import { systemClock } from '../../src/lib/clock.ts'
import { MAX_PAYLOAD, NO_BYTES, type ClientTransport, type Envelope, type ServerTransport } from '../../src/transport/port.ts'
import type { Frame } from '../../src/transport/session/framing.ts'
import type { ServerEvent } from '../../src/transport/session/options.ts'
import { createWebSocketClient, type WebSocketClientOptions } from '../../src/transport/websocket/client.ts'
import { selfSigned } from '../support/certificate.ts'
import { fastClock } from '../support/fast-clock.ts'
import { OPCODES, rawFrame, RawPeer } from '../support/raw-websocket.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { AGENT, connected, DONE, eventually, message, notificationsOf, outcomeOf, right, signIn, signingIn } from './transport.support.ts'
import { nextFrame, requestBytes as bytesOf, startServer, SUBPROTOCOL } from './transport-websocket.support.ts'

const startClient = (url: string, options: Partial<WebSocketClientOptions> = {}): ClientTransport => {
  const client = createWebSocketClient({ url, clock: systemClock, random: randomBytes, ...options })
  onTestFinished(() => client[Symbol.asyncDispose]())
  return client
}

/** A peer that is past its handshake and the challenge. */
const framedPeer = async (port: number): Promise<RawPeer> => {
  const peer = new RawPeer(port, SUBPROTOCOL)
  expect(await nextFrame(peer)).toMatchObject({ type: 'challenge' })
  return peer
}

const signedInPeer = async (port: number): Promise<RawPeer> => {
  const peer = new RawPeer(port, SUBPROTOCOL)
  const { Nonce: nonce } = (await nextFrame(peer)).head
  peer.send(OPCODES.binary, bytesOf({ head: signIn()(typeof nonce === 'string' ? nonce : '') }))
  expect(await nextFrame(peer)).toMatchObject({ head: { Status: 200 } })
  return peer
}

describe('a port that is shared with HTTP', () => {
  it('answers HTTP by the handler given', async () => {
    const { port } = (await startServer()).address
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`)
    expect(await answer.text()).toBe('you asked for /healthz')
  })

  it.each([
    ['a path of another name', {}, '/other', '404 Not Found'],
    ['a page of another origin', { Origin: 'http://evil.example' }, '/ws', '403 Forbidden'],
    ['a page without an origin', { Origin: 'null' }, '/ws', '403 Forbidden'],
    ['a later version of the framing', { 'Sec-WebSocket-Protocol': 'eventsync.9' }, '/ws', '400 Bad Request'],
  ])('takes no WebSocket from %s', async (_, headers, path, status) => {
    const { port } = (await startServer()).address
    const peer = new RawPeer(port, headers, path)
    await eventually(() => expect(peer.response).toMatch(`HTTP/1.1 ${status}`))
    await eventually(() => expect(peer.closed).toBe(true))
  })

  it.each(['/', '/ws', '/ws?from=here'])('takes one on %s', async (path) => {
    const { port } = (await startServer()).address
    const peer = new RawPeer(port, { ...SUBPROTOCOL, Origin: `http://127.0.0.1:${port}` }, path)
    await eventually(() => expect(peer.response).toMatch('HTTP/1.1 101'))
  })

  it('takes only so many connections', async () => {
    const server = await startServer({ clock: systemClock, connections: { maxConnections: 3 } })
    server.serve(signingIn())
    const { port } = server.address
    const first = new RawPeer(port)
    await eventually(() => expect(first.response).toMatch('HTTP/1.1 101'))
    await connected(startClient(`ws://127.0.0.1:${port}`, { signIn: signIn() }))
    await connected(startClient(`ws://127.0.0.1:${port}`, { signIn: signIn() }))
    const last = new RawPeer(port, SUBPROTOCOL)
    await eventually(() => expect(last.response).toMatch(/^HTTP\/1.1 503[^]*too many connections/))
  })

  it('rejects where the port is taken', async () => {
    const { port } = (await startServer()).address
    await expect(startServer({ listen: { host: '127.0.0.1', port } })).rejects.toThrow('EADDRINUSE')
  })
})

describe('a peer that breaks the framing', () => {
  it.each([
    ['an unknown type', Buffer.from([9, 0, 0, 0, 7, 0, 0, 0, 2, 0x7b, 0x7d]), 400, 'format', 'type 9'],
    ['a head that is no JSON', Buffer.from([1, 0, 0, 0, 7, 0, 0, 0, 1, 0x7b]), 400, 'format', 'not JSON'],
    ['a head that is no object', Buffer.from([1, 0, 0, 0, 7, 0, 0, 0, 2, 0x5b, 0x5d]), 400, 'format', 'not a JSON object'],
    ['a head that is no UTF-8', Buffer.from([1, 0, 0, 0, 7, 0, 0, 0, 1, 0xff]), 400, 'format', 'not UTF-8'],
    ['a head that never ends', Buffer.from([1, 0, 0, 0, 7, 0, 0, 0, 9, 0x7b]), 400, 'format', 'ends before its head'],
    ['a head that is too large', Buffer.from([1, 0, 0, 0, 7, 0xff, 0, 0, 0]), 413, 'tooLarge', 'at most'],
  ])('gets a clear answer to %s, and goes on', async (_, bytes, status, code, reason) => {
    const server = await startServer()
    server.serve(async () => DONE)
    const peer = await framedPeer(server.address.port)
    peer.send(OPCODES.binary, bytes)
    const answer = await nextFrame(peer)
    expect(answer).toMatchObject({ type: 'answer', id: 7, head: { Action: 'ServerResponse', Status: status, Code: code } })
    expect(answer.head['Reason']).toContain(reason)
    peer.send(OPCODES.binary, bytesOf({ id: 8 }))
    expect(await nextFrame(peer)).toMatchObject({ type: 'answer', id: 8, head: { Status: 200 } })
  })

  it.each([
    ['a frame that is shorter than its prefix', OPCODES.binary, Buffer.alloc(8), {}, 1002, 'its prefix alone has 9'],
    ['a frame that is not for a gateway', OPCODES.binary, bytesOf({ type: 'answer' }), {}, 1002, 'type answer'],
    ['a text message', OPCODES.text, Buffer.from('{}'), {}, 1002, 'text message'],
    ['a frame without a mask', OPCODES.binary, bytesOf({}), { masked: false }, 1002, 'well-formed'],
    ['a message of 2 GiB', OPCODES.binary, Buffer.alloc(1000), { claim: 2 ** 31 }, 1009, 'larger than'],
    ['a message of 8 PiB', OPCODES.binary, Buffer.alloc(1000), { claim: Number.MAX_SAFE_INTEGER }, 1009, 'larger than'],
  ])('is cut off with a reason after %s; the gateway goes on', async (_, opcode, data, options, code, reason) => {
    const events: ServerEvent[] = []
    const server = await startServer({ log: (event) => events.push(event) })
    server.serve(async () => DONE)
    const peer = await framedPeer(server.address.port)
    peer.send(opcode, data, options)
    const end = await peer.end()
    expect(end.code).toBe(code)
    expect(end.reason).toContain(reason)
    await eventually(() => expect(peer.closed).toBe(true))
    await eventually(() => expect(events.at(-1)?.tag).toBe('Closed'))
    expect(outcomeOf(await startClient(`ws://127.0.0.1:${server.address.port}`).request(message({}))())).toBe('answered')
  })

  it('keeps memory flat while it sends a message of 2 GiB all the same', async () => {
    const server = await startServer()
    const peer = await framedPeer(server.address.port)
    const before = process.memoryUsage().arrayBuffers
    peer.send(OPCODES.binary, NO_BYTES, { claim: 2 ** 31 })
    const flood = Buffer.alloc(1024 * 1024)
    const pour = (): void => {
      while (!peer.closed && peer.socket.write(flood));
    }
    peer.socket.on('drain', pour)
    pour()
    expect(await peer.end()).toMatchObject({ code: 1009 })
    await eventually(() => expect(peer.closed).toBe(true))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024)
  })

  it('is cut off when a message in many fragments grows too large', async () => {
    const server = await startServer()
    const peer = await framedPeer(server.address.port)
    const piece = Buffer.alloc(1024 * 1024)
    peer.send(OPCODES.binary, piece, { fin: false })
    for (let n = 0; n < 5; n += 1) peer.send(0, piece, { fin: false })
    expect(await peer.end()).toMatchObject({ code: 1009 })
  })

  it('never brings the gateway down, whatever bytes it sends', async () => {
    const server = await startServer()
    server.serve(async () => DONE)
    const bytes = fc.uint8Array({ maxLength: 60 })
    const sent = fc.oneof(
      bytes.map((raw) => Buffer.from(raw)),
      fc.tuple(fc.nat(15), bytes, fc.boolean()).map(([opcode, data, fin]) => rawFrame(opcode, data, { fin })),
      fc
        .tuple(fc.nat(255), fc.nat(200), bytes)
        .map(([type, length, data]) => rawFrame(2, Buffer.concat([Buffer.from([type, 0, 0, 0, 1, 0, 0, 0, length]), data]))),
    )
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(sent, { maxLength: 5 }), async (framed, parts) => {
        const peer = new RawPeer(server.address.port, framed ? SUBPROTOCOL : {})
        await eventually(() => expect(peer.response).toMatch('HTTP/1.1 101'))
        for (const part of parts) peer.socket.write(part)
        peer.socket.end()
        await eventually(() => expect(peer.closed).toBe(true))
      }),
      { numRuns: 100 },
    )
    expect(outcomeOf(await startClient(`ws://127.0.0.1:${server.address.port}`).request(message({}))())).toBe('answered')
  })

  it('may cut its messages into fragments anywhere', async () => {
    const server = await startServer()
    server.serve(async ({ message: sent, payload }) => message({ Sent: sent }, payload))
    const peer = await framedPeer(server.address.port)
    const bytes = bytesOf({ id: 3, head: { N: 5 }, payload: Buffer.from('payload') })
    for (const [at, byte] of bytes.entries())
      peer.send(at === 0 ? OPCODES.binary : 0, Buffer.from([byte]), { fin: at === bytes.length - 1 })
    expect(await nextFrame(peer)).toMatchObject({ id: 3, head: { Sent: { N: 5 } }, payload: Buffer.from('payload') })
  })
})

describe('a peer that reads too slowly', () => {
  const big = new Uint8Array(MAX_PAYLOAD)

  it('stops new requests while its answers wait (I16)', async () => {
    const server = await startServer({ clock: systemClock, limits: { maxInFlight: 4 } })
    let begun = 0
    server.serve(async ({ message: { Big: isBig } }) => {
      begun += isBig === true ? 1 : 0
      return isBig === true ? message({}, big) : DONE
    })
    const peer = await framedPeer(server.address.port)
    peer.socket.pause()
    for (let id = 1; id <= 50; id += 1) peer.send(OPCODES.binary, bytesOf({ id, head: { Big: true } }))
    await eventually(() => expect(begun).toBeGreaterThanOrEqual(4))
    const client = startClient(`ws://127.0.0.1:${server.address.port}`)
    for (let n = 0; n < 200; n += 1) right(await client.request(message({}))())
    expect(begun).toBeLessThan(16)
    peer.socket.resume()
    for (let id = 1; id <= 50; id += 1) expect((await nextFrame(peer)).payload.byteLength).toBe(MAX_PAYLOAD)
    expect(begun).toBe(50)
  })

  it('gets the newest notification of each folder when it reads again', async () => {
    const server = await startServer({ clock: systemClock })
    const peer = await idlePeer(server, server.address.port)
    for (let position = 0; position < 300_000; position += 1) server.notify([AGENT], { folder: `f${position % 3}`, position })
    peer.socket.resume()
    const told: Frame[] = []
    while (told.at(-1)?.head['Position'] !== 299_999) told.push(await nextFrame(peer))
    expect(told.slice(-3).map(({ head }) => head['Position'])).toEqual([299_997, 299_998, 299_999])
    expect(told.length).toBeLessThan(30)
  })

  it('is dropped when it never reads, though it gives signs of life', async () => {
    const events: ServerEvent[] = []
    const server = await startServer({ clock: fastClock(50), log: (event) => events.push(event) })
    const peer = await idlePeer(server, server.address.port)
    const alive = setInterval(() => peer.send(OPCODES.pong, NO_BYTES), 20)
    onTestFinished(() => clearInterval(alive))
    await eventually(() => expect(events.at(-1)).toMatchObject({ tag: 'Closed', reason: 'The peer does not read what it is sent.' }))
  })

  /** A peer that is signed in, has asked for more than the sockets' buffers hold, and reads none of it. */
  const idlePeer = async (server: ServerTransport, port: number): Promise<RawPeer> => {
    let begun = 0
    const answer = async (): Promise<Envelope> => {
      begun += 1
      return message({}, big)
    }
    server.serve(signingIn(answer))
    const peer = await signedInPeer(port)
    peer.socket.pause()
    for (let id = 2; id <= 7; id += 1) peer.send(OPCODES.binary, bytesOf({ id }))
    await eventually(() => expect(begun).toBe(6))
    return peer
  }
})

describe('a peer that is gone without a word', () => {
  it('is found by the gateway, while one that answers pings stays', async () => {
    const events: ServerEvent[] = []
    const server = await startServer({ clock: fastClock(50), log: (event) => events.push(event) })
    server.serve(signingIn())
    const alive = startClient(`ws://127.0.0.1:${server.address.port}`, { signIn: signIn(), clock: fastClock(50) })
    const heard = await connected(alive)
    const silent = await signedInPeer(server.address.port)
    await eventually(() => expect(events.at(-1)).toMatchObject({ tag: 'Closed', reason: 'Nothing was heard for 30 s.' }))
    await eventually(() => expect(silent.closed).toBe(true))
    expect(heard.at(-1)).toEqual({ tag: 'Connected' })
  })

  it('is found by the client, which tries again', async () => {
    const proxy = await TcpProxy.listen()
    onTestFinished(() => proxy[Symbol.asyncDispose]())
    const server = await startServer()
    server.serve(signingIn())
    proxy.target = server.address.port
    const client = startClient(`ws://127.0.0.1:${proxy.port}`, { signIn: signIn(), clock: fastClock(50) })
    const heard = await connected(client)
    proxy.freeze()
    const request = client.request(message({}))()
    expect(outcomeOf(await request)).toBe('Unreachable')
    await eventually(() => expect(heard).toContainEqual({ tag: 'Disconnected', reason: 'Nothing was heard for 30 s.', refused: false }))
    await eventually(() => expect(heard.at(-1)).toEqual({ tag: 'Connected' }))
  })
})

describe('TLS', () => {
  it('is refused by a client that does not trust the certificate', async () => {
    const server = await startServer({ tls: selfSigned() })
    const client = startClient(`wss://127.0.0.1:${server.address.port}`)
    const answer = await client.request(message({}))()
    expect(JSON.stringify(answer)).toMatch(/Unreachable.*self-signed certificate/)
    const other = startClient(`wss://127.0.0.1:${server.address.port}`, { tls: { ca: selfSigned().cert } })
    expect(outcomeOf(await other.request(message({}))())).toBe('Unreachable')
  })

  it('is not mistaken for a plain connection, nor the other way round', async () => {
    const [secure, plain] = [await startServer({ tls: selfSigned() }), await startServer()]
    for (const url of [`ws://127.0.0.1:${secure.address.port}`, `wss://127.0.0.1:${plain.address.port}`]) {
      const heard = notificationsOf(startClient(url))
      await eventually(() => expect(JSON.stringify(heard.at(-1))).toMatch(/Disconnected.*127.0.0.1:\d+: ./))
    }
  })
})
