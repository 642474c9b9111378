import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, describe, expect, it } from 'vitest'
import { openEventStoreLog } from '../../src/eventlog/eventstoredb/log.ts'
import type { EventLog } from '../../src/eventlog/port.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { appendAtEnd, everything, idsOf, newEvents, take } from '../contract/eventlog.support.ts'
import { outcomeOf, right } from '../contract/support.ts'
import { selfSigned } from '../support/certificate.ts'
import { addressOf } from '../support/eventstoredb/log-server.ts'
import { StandIn, type Fate, type StandInOptions } from '../support/eventstoredb/server.ts'

// What a real server does only now and then, on demand.

const started: AsyncDisposable[] = []

afterEach(async () => {
  for (const each of started.splice(0).toReversed()) await each[Symbol.asyncDispose]()
})

const standIn = async (options?: StandInOptions): Promise<StandIn> => {
  const server = await StandIn.start(options)
  started.push({ [Symbol.asyncDispose]: () => server.stop() })
  return server
}

const open = (url: string, deadline = 5000): EventLog => {
  const log = openEventStoreLog({ address: addressOf(url), sleep: systemClock.sleep, deadline })
  started.push(log)
  return log
}

const opened = async (options?: StandInOptions, deadline?: number) => {
  const server = await standIn(options)
  return { server, log: open(`esdb://127.0.0.1:${server.port}?tls=false`, deadline) }
}

describe('an append', () => {
  it.each<Fate>([
    'silent after writing',
    'silent before writing',
    'reset after writing',
    'reset before writing',
    'not ready',
    'not ready without a code',
  ])('that is %s has an unknown outcome, and the same again is written once', async (fate) => {
    const { server, log } = await opened({}, 300)
    await appendAtEnd(log, 'folder-a', newEvents(2))
    const events = newEvents(3)
    server.fates.push(fate)
    expect(outcomeOf(await log.append('folder-a', 1, events)())).toBe('OutcomeUnknown')
    const again = right(await log.append('folder-a', 1, events)())
    expect(again.revision).toBe(4)
    expect(right(await log.last('folder-a')())?.position).toEqual(again.position)
    expect(await everything(log)).toHaveLength(5)
  })

  it('is refused where the server takes less at once', async () => {
    const { log } = await opened({ maxAppendSize: 1000 })
    expect(await log.append('folder-a', 'none', newEvents(20))()).toMatchObject(E.left({ tag: 'Refused' }))
    expect(right(await log.append('folder-a', 'none', newEvents(1))()).revision).toBe(0)
  })

  it('is refused on a stream that was deleted on the server, for good or softly, and nothing is written', async () => {
    const { server, log } = await opened()
    for (const stream of ['folder-soft', 'folder-hard']) await appendAtEnd(log, stream, newEvents(3))
    server.storage.deleteSoftly('folder-soft')
    server.storage.tombstone('folder-hard')
    const before = server.storage.all.length
    expect(right(await log.read('folder-soft', 0, 9)())).toEqual([])
    expect(outcomeOf(await log.append('folder-soft', 'none', newEvents(1))())).toBe('Refused')
    for (const expected of [2, 'none'] as const)
      expect(outcomeOf(await log.append('folder-hard', expected, newEvents(1))())).toBe('Refused')
    expect(outcomeOf(await log.read('folder-hard', 0, 9)())).toBe('Unavailable')
    expect(server.storage.all).toHaveLength(before)
  })

  it('is refused on a stream that is none of the log', async () => {
    const { log } = await opened()
    expect(outcomeOf(await log.append('somebody', 'none', newEvents(1))())).toBe('Refused')
  })
})

describe('a read', () => {
  it('ends at its deadline', async () => {
    const { server, log } = await opened({}, 200)
    await appendAtEnd(log, 'folder-a', newEvents(1))
    server.silentReads = 3
    for (const read of [log.last('folder-a'), log.readAll('start', 10), log.read('folder-a', 0, 1)])
      expect(await read()).toMatchObject(E.left({ tag: 'Unavailable', reason: "the event log's server: no answer within 200 ms" }))
    expect(right(await log.last('folder-a')())?.revision).toBe(0)
  })

  it('says which events are gone, where a stream was cut off on the server', async () => {
    const { server, log } = await opened()
    await appendAtEnd(log, 'folder-a', newEvents(3))
    server.storage.deleteSoftly('folder-a')
    right(await log.append('folder-a', 2, newEvents(1))())
    expect(await log.read('folder-a', 1, 9)()).toMatchObject(E.left({ tag: 'Unavailable' }))
    expect(right(await log.read('folder-a', 3, 9)())).toHaveLength(1)
  })

  it("leaves out what is not EventSync's, and does not pass over what should be", async () => {
    const { server, log } = await opened()
    await appendAtEnd(log, 'folder-a', newEvents(2))
    const foreign = {
      id: crypto.randomUUID(),
      type: 'Order',
      contentType: 'application/json',
      data: Buffer.from('{}'),
      metadata: Buffer.alloc(0),
    }
    for (let i = 0; i < 50; i += 1) server.storage.append('orders-1', 'any', [{ ...foreign, id: crypto.randomUUID() }])
    await appendAtEnd(log, 'folder-a', newEvents(2))
    expect((await everything(log, 3)).map(({ revision }) => revision)).toEqual([0, 1, 2, 3])
    expect(await take(log, 'start', 4)).toHaveLength(4)
    server.storage.append('folder-a', 'any', [foreign])
    expect(outcomeOf(await log.read('folder-a', 0, 9)())).toBe('Unavailable')
    expect(outcomeOf(await log.readAll('start', 60)())).toBe('Unavailable')
    await expect(take(log, 'start', 5)).rejects.toThrow('the event 4 of folder-a was not written by EventSync')
  })
})

describe('a subscription', () => {
  it('that the server drops for being slow is made again, and misses nothing', async () => {
    const { server, log } = await opened()
    server.liveBuffer = 32
    await appendAtEnd(log, 'folder-a', newEvents(10))
    const seen = take(log, 'start', 2010)
    await expect.poll(() => server.counts.subscriptions).toBe(1)
    for (let round = 0; round < 20; round += 1) await appendAtEnd(log, 'folder-a', newEvents(100))
    expect(idsOf(await seen)).toEqual(idsOf(await everything(log, 1000)))
    expect(server.counts.dropped).toBeGreaterThan(0)
  })

  it('goes on from a checkpoint where nothing of ours came for long', async () => {
    const { server, log } = await opened()
    await appendAtEnd(log, 'folder-a', newEvents(1))
    const seen = take(log, 'start', 2)
    await expect.poll(() => server.counts.subscriptions).toBe(1)
    const foreign = { type: 'Order', contentType: 'application/json', data: Buffer.from('{}'), metadata: Buffer.alloc(0) }
    for (let i = 0; i < 2000; i += 1) server.storage.append('orders-1', 'any', [{ ...foreign, id: crypto.randomUUID() }])
    await expect.poll(() => server.counts.checkpoints).toBeGreaterThan(0)
    server.dropSubscriptions()
    await expect.poll(() => server.counts.subscriptions).toBe(2)
    expect(server.resumedAt).toBeGreaterThan(1000)
    await appendAtEnd(log, 'folder-a', newEvents(1))
    expect((await seen).map(({ revision }) => revision)).toEqual([0, 1])
  })
})

describe('a server with TLS and users', () => {
  const user = { username: 'gate way', password: 'p:a/s@s' }
  const withTls = async () => {
    const tls = selfSigned()
    const directory = mkdtempSync(join(tmpdir(), 'ca-'))
    started.push({ [Symbol.asyncDispose]: async () => rmSync(directory, { recursive: true }) })
    writeFileSync(join(directory, 'ca.pem'), tls.cert)
    const server = await standIn({ tls, user })
    const url = (who: string, options = `?tlsCAFile=${encodeURIComponent(join(directory, 'ca.pem'))}`): string =>
      `esdb://${who}@localhost:${server.port}${options}`
    return { server, url }
  }
  const known = `${encodeURIComponent(user.username)}:${encodeURIComponent(user.password)}`

  it('takes its user, and whom it does not know it refuses in words', async () => {
    const { url } = await withTls()
    const log = open(url(known))
    expect(right(await log.append('folder-a', 'none', newEvents(2))()).revision).toBe(1)
    expect(await take(log, 'start', 2)).toHaveLength(2)
    const stranger = open(url('gateway:wrong'))
    const refused = await stranger.append('folder-a', 1, newEvents(1))()
    expect(refused).toMatchObject(E.left({ tag: 'Refused' }))
    expect(JSON.stringify([refused, await stranger.last('folder-a')()])).not.toContain('wrong:')
    expect(outcomeOf(await stranger.last('folder-a')())).toBe('Unavailable')
  })

  it('is not talked to where its certificate is not trusted', async () => {
    const { server, url } = await withTls()
    const log = open(url(known, ''), 2000)
    expect(outcomeOf(await log.append('folder-a', 0, newEvents(1))())).toBe('Unavailable')
    expect(server.counts.appends).toBe(0)
  })
})
