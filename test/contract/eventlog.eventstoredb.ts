import { randomUUID } from 'node:crypto'
import type { EventStoreAddress } from '../../src/lib/eventstore-address.ts'
import { openEventStoreLog } from '../../src/eventlog/eventstoredb/log.ts'
import type { EventLog } from '../../src/eventlog/port.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { addressOf, REAL_SERVER } from '../support/eventstoredb/log-server.ts'
import { StandIn } from '../support/eventstoredb/server.ts'
import type { LogFixture } from './eventlog.adapters.ts'

/** Nobody listens there. */
const NOWHERE = { tag: 'one', endpoint: { address: '127.0.0.1', port: 1 } } as const

export const eventStore = async (): Promise<LogFixture> => {
  const standIn = REAL_SERVER === undefined ? await StandIn.start() : undefined
  const url = REAL_SERVER ?? `esdb://127.0.0.1:${standIn?.port}?tls=false`
  const streamPrefix = `test-${randomUUID()}-`
  const handles: EventLog[] = []
  let gone = false
  const openAt = (address: EventStoreAddress): EventLog => {
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
        at: (...args) => live().at(...args),
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
