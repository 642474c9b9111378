import { randomUUID } from 'node:crypto'
import { either as E } from 'fp-ts'
import { parseAddress, type LogAddress } from '../../src/eventlog/eventstoredb/address.ts'
import { openEventStoreLog } from '../../src/eventlog/eventstoredb/log.ts'
import type { EventLog } from '../../src/eventlog/port.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { StandIn } from '../support/eventstoredb/server.ts'
import type { LogFixture } from './eventlog.adapters.ts'

/** A real server, where one is named; nothing in it is touched but streams of a prefix of the test's own. */
const REAL = process.env['EVENTSYNC_TEST_ESDB_URL']

const addressOf = (url: string): LogAddress => {
  const address = parseAddress(url)
  if (E.isLeft(address)) throw new Error(`EVENTSYNC_TEST_ESDB_URL ${address.left}`)
  return address.right
}

/** Nobody listens there. */
const NOWHERE = { tag: 'one', endpoint: { address: '127.0.0.1', port: 1 } } as const

export const eventStore = async (): Promise<LogFixture> => {
  const standIn = REAL === undefined ? await StandIn.start() : undefined
  const url = REAL ?? `esdb://127.0.0.1:${standIn?.port}?tls=false`
  const streamPrefix = `test-${randomUUID()}-`
  const handles: EventLog[] = []
  let gone = false
  const openAt = (address: LogAddress): EventLog => {
    const log = openEventStoreLog({ address: { ...address, streamPrefix }, sleep: systemClock.sleep })
    handles.push(log)
    return log
  }
  const nowhere = openAt({ ...addressOf(url), servers: NOWHERE })
  return {
    open: async () => {
      const log = openAt(addressOf(url))
      // The handle asks each time, so that `fail` takes every server away at once.
      const live = (): EventLog => (gone ? nowhere : log)
      return {
        append: (...args) => live().append(...args),
        read: (...args) => live().read(...args),
        last: (...args) => live().last(...args),
        readAll: (...args) => live().readAll(...args),
        subscribe: (...args) => live().subscribe(...args),
        [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
      }
    },
    fail: () => {
      gone = true
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(handles.map((handle) => handle[Symbol.asyncDispose]()))
      await standIn?.stop()
    },
  }
}
