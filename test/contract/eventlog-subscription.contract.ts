import { afterEach, beforeEach, expect, it } from 'vitest'
import type { EventLog, RecordedEvent } from '../../src/eventlog/port.ts'
import type { LogAdapter, LogFixture } from './eventlog.adapters.ts'
import { appendAtEnd, everything, idsOf, newEvents, take } from './eventlog.support.ts'

let fixture: LogFixture
let log: EventLog

const batchOf = (result: IteratorResult<readonly RecordedEvent[], unknown>): readonly RecordedEvent[] =>
  result.done === true ? [] : result.value

const content = (): void => {
  it('gives history, then what comes', async () => {
    await appendAtEnd(log, 'a', newEvents(3))
    const controller = new AbortController()
    const batches = log.subscribe('start', controller.signal)[Symbol.asyncIterator]()
    const history = [...batchOf(await batches.next())]
    while (history.length < 3) history.push(...batchOf(await batches.next()))
    expect(history).toEqual(await everything(log))
    const next = batches.next()
    await appendAtEnd(log, 'b', newEvents(2))
    expect((await next).value).toEqual((await everything(log)).slice(3))
    controller.abort()
  })

  it('starts after a position, that one excluded', async () => {
    await appendAtEnd(log, 'a', newEvents(10))
    const all = await everything(log)
    expect(await take(log, all[3]!.position, 6)).toEqual(all.slice(4))
  })

  it('gives every event once and in order while several append', async () => {
    await appendAtEnd(log, 'a', newEvents(600))
    const early = take(log, 'start', 1500)
    const writer = async (handle: EventLog, stream: string) => {
      for (let round = 0; round < 100; round++) await appendAtEnd(handle, stream, newEvents(3))
    }
    const writing = Promise.all([writer(log, 'a'), writer(log, 'b'), fixture.open().then((other) => writer(other, 'c'))])
    const late = take(log, 'start', 1500)
    await writing
    const all = await everything(log, 1000)
    expect(all).toHaveLength(1500)
    expect(idsOf(await early)).toEqual(idsOf(all))
    expect(idsOf(await late)).toEqual(idsOf(all))
  })

  it('sees what another handle appends', async () => {
    const other = await fixture.open()
    const seen = take(log, 'start', 1)
    const events = newEvents(1)
    await appendAtEnd(other, 'a', events)
    expect(idsOf(await seen)).toEqual(idsOf(events))
  })

  it('waits for a slow reader, without holding anybody else up', async () => {
    const controller = new AbortController()
    const slow = log.subscribe('start', controller.signal)[Symbol.asyncIterator]()
    const first = slow.next()
    for (let round = 0; round < 40; round++) await appendAtEnd(log, 'a', newEvents(50))
    expect(await take(log, 'start', 2000)).toHaveLength(2000)
    const seen = [...batchOf(await first)]
    while (seen.length < 2000) seen.push(...batchOf(await slow.next()))
    expect(idsOf(seen)).toEqual(idsOf(await everything(log, 1000)))
    controller.abort()
  })
}

const ending = (): void => {
  it.each(['before it starts', 'while it waits', 'while its reader works'])('ends when its signal aborts %s', async (when) => {
    await appendAtEnd(log, 'a', newEvents(1000))
    const controller = new AbortController()
    if (when === 'before it starts') controller.abort()
    let seen = 0
    for await (const batch of log.subscribe('start', controller.signal)) {
      seen += batch.length
      if (when === 'while its reader works') controller.abort()
      if (seen === 1000) queueMicrotask(() => controller.abort())
    }
    expect(seen === 0).toBe(when === 'before it starts')
    expect(seen === 1000).toBe(when === 'while it waits')
  })

  it('ends when the log is closed', async () => {
    const next = log.subscribe('start', new AbortController().signal)[Symbol.asyncIterator]().next()
    await log[Symbol.asyncDispose]()
    expect((await next).done).toBe(true)
  })
}

/** What the subscriptions of every event log promise. */
export const subscriptionContract = (adapter: LogAdapter): void => {
  beforeEach(async () => {
    fixture = await adapter.create()
    log = await fixture.open()
  })
  afterEach(() => fixture[Symbol.asyncDispose]())
  content()
  ending()
}
