import * as E from 'fp-ts/lib/Either.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MAX_APPEND_BYTES } from '../../src/eventlog/checks.ts'
import type { EventLog, ExpectedRevision, NewEvent } from '../../src/eventlog/port.ts'
import type { LogAdapter, LogFixture } from './eventlog.adapters.ts'
import { appendAtEnd, appendSurely, everything, idsOf, newEvent, newEvents } from './eventlog.support.ts'
import { outcomeOf, right } from './support.ts'

let fixture: LogFixture
let log: EventLog

const appending = (adapter: LogAdapter): void => {
  it('counts revisions from 0 and answers with those of the last event', async () => {
    const first = right(await log.append('a', 'none', newEvents(1))())
    const second = right(await log.append('a', 0, newEvents(3))())
    expect([first.revision, second.revision]).toEqual([0, 3])
    expect(second.position.order).toBeGreaterThan(first.position.order)
    expect(right(await log.last('a')())?.position).toEqual(second.position)
  })

  it('keeps every field byte for byte', async () => {
    const event = newEvent({ type: 'Tÿpe 型', data: '{ "b":1,\n "a":"\\u0000 ☃ 😀 é é" }', metadata: '{}' })
    const { position } = right(await log.append('a', 'none', [event])())
    expect(right(await log.read('a', 0, 1)())).toEqual([{ ...event, stream: 'a', revision: 0, position }])
  })

  it('holds an event as large as an append may be', async () => {
    const event = newEvent({ data: `"${'é'.repeat((MAX_APPEND_BYTES - 1024) / 2)}"` })
    right(await log.append('a', 'none', [event])())
    expect(right(await log.last('a')())?.data === event.data).toBe(true)
  })

  it('holds many events in one append', async () => {
    const events = newEvents(1000)
    expect(right(await log.append('a', 'none', events)()).revision).toBe(999)
    expect(idsOf(right(await log.read('a', 0, 2000)()))).toEqual(idsOf(events))
  })

  it.each<[string, ExpectedRevision, ExpectedRevision]>([
    ['there', 'none', 2],
    ['there', 1, 2],
    ['there', 3, 2],
    ['absent', 0, 'none'],
  ])('answers Conflict on the stream %j at %j, with the actual revision %j, and writes nothing', async (stream, expected, actual) => {
    await appendAtEnd(log, 'there', newEvents(3))
    expect(await log.append(stream, expected, newEvents(2))()).toEqual(E.left({ tag: 'Conflict', actual }))
    expect(await everything(log)).toHaveLength(3)
  })

  it('lets one of many appends at the same revision win', async () => {
    const handles = [log, await fixture.open(), await fixture.open()]
    const events = Array.from({ length: 30 }, () => newEvents(2))
    const answers = await Promise.all(events.map((batch, index) => handles[index % 3]!.append('a', 'none', batch)()))
    expect(answers.filter(E.isRight)).toHaveLength(1)
    expect(answers.filter(E.isLeft).map(({ left }) => left)).toEqual(Array.from({ length: 29 }, () => ({ tag: 'Conflict', actual: 1 })))
    expect(idsOf(await everything(log))).toEqual(idsOf(events[answers.findIndex(E.isRight)]!))
  })

  it('keeps streams with unusual names apart', async () => {
    const composed = 'café'
    const names = [
      'a',
      'A',
      ' a',
      'a ',
      'a/b',
      "a'; DROP TABLE events; --",
      '%',
      'a\tb',
      '😀',
      composed.normalize('NFC'),
      composed.normalize('NFD'),
      'x'.repeat(200),
    ]
    for (const name of names) right(await log.append(name, 'none', [newEvent({ data: JSON.stringify(name) })])())
    for (const name of names) {
      expect(right(await log.read(name, 0, 9)()).map(({ stream, data }) => [stream, data])).toEqual([[name, JSON.stringify(name)]])
    }
  })

  const oversized = [newEvent({ data: 'x'.repeat(MAX_APPEND_BYTES / 2) }), newEvent({ metadata: 'x'.repeat(MAX_APPEND_BYTES / 2) })]
  it.each<[string, string, ExpectedRevision, readonly NewEvent[]]>([
    ['no events', 'a', 'none', []],
    ['an empty type', 'a', 'none', [newEvent({ type: '' })]],
    ['a type of the server itself', 'a', 'none', [newEvent({ type: '$metadata' })]],
    ['an id that is no UUID', 'a', 'none', [newEvent(), newEvent({ id: 'x' })]],
    ['a chain that is no hash', 'a', 'none', [newEvent({ chain: '' })]],
    ['broken Unicode', 'a', 'none', [newEvent({ data: '"\ud800"' })]],
    ['no stream name', '', 'none', newEvents(1)],
    ['a stream of the server itself', '$all', 'none', newEvents(1)],
    ['a revision below 0', 'a', -1, newEvents(1)],
    ['too many bytes', 'a', 'none', oversized],
  ])('refuses %s', async (_, stream, expected, events) => {
    expect(outcomeOf(await log.append(stream, expected, events)())).toBe('Refused')
    expect(await everything(log)).toEqual([])
  })

  const faults: readonly (readonly ['full' | 'unavailable', string])[] = adapter.tellsFull
    ? [
        ['full', 'Full'],
        ['unavailable', 'Unavailable'],
      ]
    : [['unavailable', 'Unavailable']]
  it.each(faults)('answers a left when its store is %s, and keeps what it had', async (fault, tag) => {
    await appendAtEnd(log, 'a', newEvents(2))
    const large = Array.from({ length: 4 }, () => newEvent({ data: `"${'x'.repeat(200_000)}"` }))
    fixture.fail(fault)
    expect(outcomeOf(await log.append('a', 1, large)())).toBe(tag)
    if (fault === 'full') expect(await everything(log)).toHaveLength(2)
  })

  if (adapter.hook) describe('onAppend', () => hooks())
}

const hooks = (): void => {
  it('is given the events as they are recorded, before the append is answered', async () => {
    const seen: unknown[] = []
    const hooked = await fixture.open({ onAppend: (stream, events) => seen.push([stream, events]) })
    const events = newEvents(2)
    right(await hooked.append('a', 'none', events)())
    expect(seen).toEqual([['a', await everything(log)]])
    right(await hooked.append('a', 'none', events)())
    expect(E.isLeft(await hooked.append('a', 'none', newEvents(1))())).toBe(true)
    expect(seen).toHaveLength(1)
  })

  it('takes the append back where it throws', async () => {
    const fault = new Error('no such type')
    const hooked = await fixture.open({
      onAppend: (stream) => {
        if (stream === 'a') throw fault
      },
    })
    await expect(hooked.append('a', 'none', newEvents(2))()).rejects.toBe(fault)
    expect(await everything(log)).toEqual([])
    right(await hooked.append('b', 'none', newEvents(1))())
    right(await log.append('a', 'none', newEvents(1))())
  })
}

const idempotence = (): void => {
  it('answers the same append as the first time, and appends nothing: at once, later, and from another handle', async () => {
    await appendAtEnd(log, 'a', newEvents(2))
    const events = newEvents(3)
    const first = await log.append('a', 1, events)()
    expect(await log.append('a', 1, events)()).toEqual(first)
    await appendAtEnd(log, 'a', newEvents(5))
    await appendAtEnd(log, 'b', newEvents(5))
    expect(await log.append('a', 1, events)()).toEqual(first)
    await log[Symbol.asyncDispose]()
    const reopened = await fixture.open()
    expect(await reopened.append('a', 1, events)()).toEqual(first)
    expect(await everything(reopened)).toHaveLength(15)
  })

  it('appends once what several send at once', async () => {
    const events = newEvents(3)
    const answers = await Promise.all(Array.from({ length: 8 }, () => appendSurely(log, 'a', 'none', events)))
    expect(new Set(answers.map((answer) => right(answer).position.order)).size).toBe(1)
    expect(await everything(log)).toHaveLength(3)
  })

  it.each<[string, (old: readonly NewEvent[]) => readonly NewEvent[]]>([
    ['other ids', () => newEvents(2)],
    ['old and new ids mixed', ([first]) => [first!, newEvent()]],
    ['the old ids in another order', ([first, second]) => [second!, first!]],
    ['more than there is', (old) => [...old, newEvent()]],
  ])('answers Conflict to %s at a place that is taken', async (_, make) => {
    const old = newEvents(2)
    right(await log.append('a', 'none', old)())
    expect(await log.append('a', 'none', make(old))()).toEqual(E.left({ tag: 'Conflict', actual: 1 }))
    expect(await everything(log)).toHaveLength(2)
  })
}

const reading = (): void => {
  it('reads a stream from a revision on, at most as many as asked for', async () => {
    const events = newEvents(10)
    await appendAtEnd(log, 'b', newEvents(1))
    await appendAtEnd(log, 'a', events)
    const read = async (from: number, max: number) => right(await log.read('a', from, max)()).map(({ revision, id }) => [revision, id])
    const expected = events.map(({ id }, revision) => [revision, id])
    expect(await read(0, 100)).toEqual(expected)
    expect(await read(4, 3)).toEqual(expected.slice(4, 7))
    expect(await read(8, 3)).toEqual(expected.slice(8))
    expect(await read(10, 3)).toEqual([])
    expect(await read(0, 0)).toEqual([])
  })

  it('reads nothing of a stream that is not there', async () => {
    expect(right(await log.read('absent', 0, 10)())).toEqual([])
    expect(right(await log.last('absent')())).toBeUndefined()
    expect(right(await log.readAll('start', 10)())).toEqual([])
  })

  it('reads all streams in one order, after a position', async () => {
    for (let round = 0; round < 6; round++) for (const stream of ['a', 'b', 'c']) await appendAtEnd(log, stream, newEvents(round + 1))
    const all = await everything(log)
    expect(all).toHaveLength(63)
    const orders = all.map(({ position }) => position.order)
    expect(orders).toEqual([...new Set(orders)].toSorted((a, b) => (a < b ? -1 : 1)))
    for (const stream of ['a', 'b', 'c']) {
      expect(all.filter((event) => event.stream === stream)).toEqual(right(await log.read(stream, 0, 100)()))
    }
    expect(right(await log.readAll(all[40]!.position, 5)())).toEqual(all.slice(41, 46))
    expect(right(await log.readAll(all.at(-1)!.position, 5)())).toEqual([])
    expect(await everything(await fixture.open())).toEqual(all)
  })

  it('reads the event at a position, and none where another log would have one', async () => {
    await appendAtEnd(log, 'a', newEvents(3))
    await appendAtEnd(log, 'b', newEvents(2))
    const all = await everything(log)
    for (const event of all) expect(right(await log.at(event.position)())).toEqual(event)
    const last = all.at(-1)!.position.order
    for (const order of [last + 1n, last + 1_000_000_000n, all[1]!.position.order + 1n]) {
      const token = all[0]!.position.token.replaceAll(/\d+/g, String(order))
      const expected = all.find(({ position }) => position.order === order)
      expect(right(await log.at({ order, token })())).toEqual(expected)
    }
  })

  it('answers Unavailable where it cannot read', async () => {
    await appendAtEnd(log, 'a', newEvents(1))
    fixture.fail('unavailable')
    const answers = [await log.read('a', 0, 1)(), await log.last('a')(), await log.readAll('start', 1)()]
    expect(answers.map(outcomeOf)).toEqual(['Unavailable', 'Unavailable', 'Unavailable'])
  })

  it('answers Unavailable after it was closed', async () => {
    await log[Symbol.asyncDispose]()
    const answers = [await log.append('a', 'none', newEvents(1))(), await log.last('a')()]
    expect(answers.map(outcomeOf)).toEqual(['Unavailable', 'Unavailable'])
  })
}

/** What every adapter of the event log promises, apart from its subscriptions (eventlog-subscription.contract.ts). */
export const eventLogContract = (adapter: LogAdapter): void => {
  beforeEach(async () => {
    fixture = await adapter.create()
    log = await fixture.open()
  })
  afterEach(() => fixture[Symbol.asyncDispose]())
  describe('append', () => appending(adapter))
  describe('idempotence', () => idempotence())
  describe('read', () => reading())
}
