import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { bytesOf, chunkOf, creating, enrol, gatewayWorld } from '../../test/support/gateway.ts'
import { isHash, type Hash } from '../domain/content.ts'
import type { AppendOutcome } from '../eventlog/memory.ts'
import { parseJson, type JsonObject } from '../protocol/json.ts'
import { checkpointText, decodeGatewayEvent } from '../protocol/gateway-event-codec.ts'
import { verify, witnessText } from '../protocol/signing.ts'
import { createHttpHandler } from './http.ts'
import { createMetrics } from './metrics.ts'

const inside = (text: string) => ({ contents: [bytesOf(text)] })
// The events of these tests are objects.
const dataOf = (data: string | undefined): JsonObject => parseJson(data ?? '') as JsonObject

describe('the gateway', () => {
  it('takes a change in, tells of it, and gives its content', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const desktop = await enrol(world, 2)
    const changed = await laptop.change([creating('d/a', 'hello')], inside('hello'))
    expect(changed).toMatchObject({ tag: 'Changed', status: 200, position: 2, outcomes: [{ status: 200, revision: 2, path: 'd/a' }] })
    expect(world.told.map(({ keys, folder, position }) => ({ keys, folder, position }))).toEqual([
      { keys: [desktop.key], folder: laptop.folder, position: 2 },
      { keys: [laptop.key], folder: laptop.folder, position: 2 },
    ])
    const synced = await desktop.sync()
    const entries = [
      { path: 'd', version: 1 },
      { path: 'd/a', version: 2 },
    ]
    expect(synced).toMatchObject({ tag: 'Synced', position: 2, head: 2, more: false, since: '', entries })
    const { hash } = chunkOf(bytesOf('hello'))
    const opened = await desktop.open(2, [hash])
    expect(opened.answer).toMatchObject({ tag: 'Opened', chunks: [{ hash, size: 5 }], missing: [] })
    expect(Buffer.from(opened.payload).toString()).toBe('hello')
  })

  it('answers what it has begun, and takes nothing new, when it drains', async () => {
    const gate = Promise.withResolvers<void>()
    let held = false
    const outcome = async (stream: string): Promise<AppendOutcome> => {
      if (held && stream.startsWith('folder-')) await gate.promise
      return 'ok'
    }
    const world = await gatewayWorld({ log: { outcome } })
    const laptop = await enrol(world, 1)
    held = true
    const begun = laptop.change([creating('a', 'one')], inside('one'))
    await new Promise((resolve) => setImmediate(resolve))
    const drained = world.gateway.drain().then(() => 'drained')
    expect(world.gateway.ready()).toBe(false)
    expect(await laptop.sync()).toMatchObject({ status: 503, code: 'busy' })
    expect(await Promise.race([drained, new Promise((resolve) => setImmediate(() => resolve('still')))])).toBe('still')
    gate.resolve()
    expect(await begun).toMatchObject({ status: 200 })
    expect(await drained).toBe('drained')
  })

  it("keeps an agent's signed word on what it has seen, one a minute", async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const { key, folder, signer } = laptop
    for (const name of ['a', 'b']) await laptop.change([creating(name, name)], inside(name))
    const chainAt = async (position: number): Promise<Hash> => {
      const answer = await laptop.sync(position)
      return answer.tag === 'Synced' && isHash(answer.since) ? answer.since : expect.fail(JSON.stringify(answer))
    }
    const say = async (position: number, chain?: Hash, wrong?: string) => {
      const seen = chain ?? (await chainAt(position))
      const signature = signer.sign(wrong ?? witnessText(folder, position, seen))
      return (await laptop.ask({ tag: 'Synced', key, folder, position, chain: seen, signature })).answer
    }
    expect(await say(1, undefined, 'something else')).toMatchObject({ status: 403, code: 'signature' })
    // A word on a log that never was is none, and takes nobody's turn.
    expect(await say(1, await chainAt(2))).toMatchObject({ status: 409, code: 'chain' })
    expect(await say(2, 'c'.repeat(64) as Hash)).toMatchObject({ status: 409, code: 'chain' })
    expect(await say(3, await chainAt(2))).toMatchObject({ status: 409, code: 'chain' })
    expect(await say(0)).toMatchObject({ status: 200 })
    expect(await say(1)).toMatchObject({ status: 200 })
    world.clock.advance(60_001)
    expect(await say(2)).toMatchObject({ status: 200 })
    expect(world.storage.streams.get(`agent-${key}`)?.map(({ data }) => dataOf(data)['position'])).toEqual([0, 2])
  })

  it('signs each hour where the streams stand that grew', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const hours = async (count: number): Promise<void> => {
      const stop = new AbortController()
      let left = count
      const sleep = async (): Promise<void> => void ((left -= 1) < 0 && stop.abort())
      await (await world.another({ clock: { ...world.clock, sleep } })).runHourly(stop.signal)
    }
    await hours(2)
    expect(world.storage.streams.get('gateway')).toHaveLength(1)
    await laptop.change([creating('a', 'one')], inside('one'))
    await hours(2)
    const [first, second] = (world.storage.streams.get('gateway') ?? []).map(decodeGatewayEvent)
    if (first?._tag !== 'Right' || first.right.type !== 'Checkpoint') throw new Error('no checkpoint')
    if (second?._tag !== 'Right' || second.right.type !== 'Checkpoint') throw new Error('no second checkpoint')
    expect(first.right.heads).toHaveLength(2)
    const chain = world.storage.streams.get(`folder-${laptop.folder}`)?.at(-1)?.chain
    expect(second.right.heads).toEqual([{ stream: `folder-${laptop.folder}`, revision: 1, chain }])
    expect(verify(world.signer.publicKey, checkpointText(second.right.heads), second.right.signature)).toBe(true)
  })
})

describe("the gateway's port", () => {
  const ask = async (path: string, ready: boolean, method = 'GET') => {
    const metrics = createMetrics()
    metrics.request('Sync', 200, 0.01)
    metrics.commit(3, 5, 0.002)
    metrics.stored(1, 10)
    const server = createServer(createHttpHandler({ ready: () => ready, metrics })).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    // A listening TCP server has an address with a port.
    const { port } = server.address() as AddressInfo
    const answer = await new Promise<{ readonly status: number | undefined; readonly body: string }>((resolve, reject) => {
      request({ port, path, method }, (response) => {
        let body = ''
        response.on('data', (piece: Buffer) => (body += piece.toString())).on('end', () => resolve({ status: response.statusCode, body }))
      })
        .on('error', reject)
        .end()
    })
    server.close()
    return answer
  }

  it('tells whether it lives, and whether it takes requests', async () => {
    expect(await ask('/healthz', false)).toEqual({ status: 200, body: 'ok' })
    expect(await ask('/readyz', false)).toMatchObject({ status: 503 })
    expect(await ask('/readyz?x=1', true)).toMatchObject({ status: 200 })
    expect(await ask('/other', true)).toMatchObject({ status: 404 })
    expect(await ask('/healthz', true, 'POST')).toMatchObject({ status: 405 })
  })

  it("gives its numbers in Prometheus' form", async () => {
    const { body } = await ask('/metrics', true)
    expect(body).toContain('eventsync_requests_total{action="Sync",status="200"} 1')
    expect(body).toContain('eventsync_events_total 5')
    expect(body).toContain('process_resident_memory_bytes')
  })
})
