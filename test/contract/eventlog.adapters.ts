import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { createMemoryLog, createMemoryStorage } from '../../src/eventlog/memory.ts'
import type { EventLog, RecordedEvent } from '../../src/eventlog/port.ts'
import { openSqliteLog } from '../../src/eventlog/sqlite.ts'
import { openDatabase } from '../../src/lib/sqlite.ts'
import { eventStore } from './eventlog.eventstoredb.ts'

export interface LogOptions {
  readonly onAppend?: (stream: string, events: readonly RecordedEvent[]) => void
}

/** One empty log, however often it is opened. */
export interface LogFixture extends AsyncDisposable {
  /** A handle: what another process would open, or the same one after a restart. */
  open(options?: LogOptions): Promise<EventLog>
  /** From now on every handle finds its disk full, or its server gone. */
  fail(fault: 'full' | 'unavailable'): void
}

export interface LogAdapter {
  /** Whether it can tell that its disk is full: a remote server stops itself then. */
  readonly tellsFull: boolean
  /** Whether it takes `onAppend`. */
  readonly hook: boolean
  readonly create: () => Promise<LogFixture>
}

const sqlite = async (): Promise<LogFixture> => {
  const directory = await mkdtemp(join(tmpdir(), 'eventlog-'))
  const databases: DatabaseSync[] = []
  const open = async (options?: LogOptions): Promise<EventLog> => {
    const db = openDatabase(join(directory, 'log.db'), { synchronous: 'FULL' })
    databases.push(db)
    return openSqliteLog(db, options)
  }
  const close = (): void => databases.splice(0).forEach((db) => db.isOpen && db.close())
  return {
    open,
    // SQLite holds the count at the present size where it is asked for less.
    fail: (fault) => (fault === 'unavailable' ? close() : databases.forEach((db) => db.exec('PRAGMA max_page_count = 1'))),
    [Symbol.asyncDispose]: async () => {
      close()
      await rm(directory, { recursive: true })
    },
  }
}

const memory = async (): Promise<LogFixture> => {
  const storage = createMemoryStorage()
  let fault: 'full' | 'unavailable' | undefined
  return {
    open: async (options) =>
      createMemoryLog({ ...options, outcome: () => fault ?? 'ok', unreadable: () => fault === 'unavailable' }, storage),
    fail: (kind) => {
      fault = kind
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** Every adapter of the port; `EVENTSYNC_TEST_EVENTLOG` picks some. */
export const LOG_ADAPTERS = {
  sqlite: { hook: true, tellsFull: true, create: sqlite },
  memory: { hook: true, tellsFull: true, create: memory },
  eventstoredb: { hook: false, tellsFull: false, create: eventStore },
} satisfies Record<string, LogAdapter>
