import * as E from 'fp-ts/lib/Either.js'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEventStoreLog } from '../../src/eventlog/eventstoredb/log.ts'
import type { EventLog, ExpectedRevision, NewEvent } from '../../src/eventlog/port.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { everything, idsOf, newEvents, take } from '../contract/eventlog.support.ts'
import { outcomeOf, right } from '../contract/support.ts'
import { addressOf, logServer, type LogServer } from '../support/eventstoredb/log-server.ts'

let server: LogServer
const handles: EventLog[] = []

const open = (): EventLog => {
  const log = openEventStoreLog({ address: addressOf(server.url), sleep: systemClock.sleep })
  handles.push(log)
  return log
}

beforeEach(async () => {
  server = await logServer()
})

afterEach(async () => {
  await Promise.all(handles.splice(0).map((log) => log[Symbol.asyncDispose]()))
  await server[Symbol.asyncDispose]()
})

/** What a writer does: the same again until it is known, whatever happens to the server. */
const insist = async (log: EventLog, stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<number> => {
  for (let tries = 1; ; tries += 1) {
    const appended = await log.append(stream, expected, events)()
    if (E.isRight(appended)) return appended.right.revision
    expect(['OutcomeUnknown', 'Unavailable']).toContain(appended.left.tag)
    if (tries === 500) throw new Error(JSON.stringify(appended.left))
    await systemClock.sleep(Math.min(10 * tries, 100))
  }
}

/** Takes the server away again and again, until disposed of. */
const trouble = (apart: number) => {
  const target = server
  const done = new AbortController()
  let cuts = 0
  const breaking = async (): Promise<void> => {
    while (!done.signal.aborted) {
      await systemClock.sleep(apart, done.signal)
      target.away()
      cuts += 1
      await systemClock.sleep(apart / 4)
      target.back()
    }
  }
  const broken = breaking()
  return {
    cuts: () => cuts,
    [Symbol.asyncDispose]: () => {
      done.abort()
      return broken
    },
  }
}

test('I1, I5: connections that break while several append lose nothing and double nothing', async () => {
  await using breaking = trouble(60)
  const written = await Promise.all(
    ['a', 'b', 'c'].map(async (stream) => {
      const log = open()
      const ids: string[] = []
      for (let round = 0; round < 60; round += 1) {
        const events = newEvents((round % 5) + 1)
        expect(await insist(log, stream, ids.length === 0 ? 'none' : ids.length - 1, events)).toBe(ids.length + events.length - 1)
        ids.push(...idsOf(events))
      }
      return { stream, ids }
    }),
  )
  await breaking[Symbol.asyncDispose]()
  expect(breaking.cuts()).toBeGreaterThan(0)
  const log = open()
  for (const { stream, ids } of written) expect(idsOf(right(await log.read(stream, 0, 1000)()))).toEqual(ids)
  expect(await everything(log, 500)).toHaveLength(3 * 180)
})

test('a subscription goes on after the last event that it gave, however often its connection breaks', async () => {
  const writer = open()
  const seen = take(open(), 'start', 300)
  await using breaking = trouble(150)
  for (let at = 0; at < 300; at += 3) await insist(writer, 'a', at === 0 ? 'none' : at - 1, newEvents(3))
  const events = await seen
  await breaking[Symbol.asyncDispose]()
  expect(breaking.cuts()).toBeGreaterThan(0)
  expect(idsOf(events)).toEqual(idsOf(await everything(open(), 500)))
})

test('a subscription that is told that its server is away says so once, and when it is back', async () => {
  const said: string[] = []
  const log = openEventStoreLog({
    address: addressOf(server.url),
    sleep: systemClock.sleep,
    health: { lost: () => void said.push('lost'), back: () => void said.push('back') },
  })
  handles.push(log)
  const seen = take(log, 'start', 2)
  const writer = open()
  await insist(writer, 'a', 'none', newEvents(1))
  await expect.poll(() => said).toEqual(['back'])
  server.away()
  await expect.poll(() => said.at(-1)).toBe('lost')
  expect(outcomeOf(await log.last('a')())).toBe('Unavailable')
  server.back()
  await expect.poll(() => said.at(-1), { timeout: 10_000 }).toBe('back')
  await insist(writer, 'a', 0, newEvents(1))
  expect(await seen).toHaveLength(2)
})
