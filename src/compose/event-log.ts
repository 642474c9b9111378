import type { DatabaseSync } from 'node:sqlite'
import * as E from 'fp-ts/lib/Either.js'
import type { GatewayConfig } from '../config.ts'
import type { EventLog } from '../eventlog/port.ts'
import { openSqliteLog } from '../eventlog/sqlite.ts'
import { systemClock } from '../lib/clock.ts'
import type { EventStoreAddress } from '../lib/eventstore-address.ts'
import type { Log } from '../lib/log.ts'
import { openDatabase } from '../lib/sqlite.ts'
import type { StateFold } from '../projections/port.ts'
import { isOfLog } from '../projections/state/same-log.ts'
import { emptyState } from '../projections/state/schema.ts'
import { openState } from '../projections/state/state.ts'
import { GATEWAY } from '../protocol/streams.ts'
import type { DataDirectory } from './data-directory.ts'
import { fail, type Outcome } from './failure.ts'
import { openRebuildable, opening } from './open-database.ts'

export interface OpenedLog {
  readonly log: EventLog
  readonly state: StateFold
  /** Whether other gateways may append to it too: the state has to be kept in step with them. */
  readonly shared: boolean
  /** Whether the log is heard: a gateway that does not hear from it may be behind. */
  readonly isHeard: () => boolean
}

/** Opens the log that the configuration names, and the state that is folded from it. What another log needs is not even loaded. */
export const openEventLog = async (
  config: GatewayConfig['log'],
  data: DataDirectory,
  logger: Log,
  parts: AsyncDisposableStack,
): Promise<Outcome<OpenedLog>> =>
  config.tag === 'sqlite' ? opening(data.log, () => embedded(data.log, parts)) : remote(config, data.state, logger, parts)

/** Of the log and the trees. */
const LOG_CACHE_MIB = 32

const closing = (db: DatabaseSync, parts: AsyncDisposableStack): DatabaseSync => parts.adopt(db, () => db.close())

const embedded = (file: string, parts: AsyncDisposableStack): OpenedLog => {
  const db = closing(openDatabase(file, { synchronous: 'FULL', cacheMiB: LOG_CACHE_MIB }), parts)
  const state = openState(db)
  return { state, log: parts.use(openSqliteLog(db, { onAppend: state.appended })), shared: false, isHeard: () => true }
}

const remote = async (config: EventStoreAddress, file: string, logger: Log, parts: AsyncDisposableStack): Promise<Outcome<OpenedLog>> => {
  const { openEventStoreLog } = await import('../eventlog/eventstoredb/log.ts')
  const hearing = createHearing(logger)
  const opened = opening(file, () => {
    const db = closing(openRebuildable(file), parts)
    return { db, state: openState(db), log: parts.use(openEventStoreLog({ address: config, sleep: systemClock.sleep, health: hearing })) }
  })
  if (E.isLeft(opened)) return opened
  const { db, state, log } = opened.right
  const answers = await log.last(GATEWAY)()
  const same = E.isLeft(answers) ? answers : await isOfLog(log, state)
  if (E.isLeft(same)) return fail('failed', `${placeOf(config)} cannot be read: ${same.left.reason}`)
  if (!same.right) {
    logger.warn('the state was folded from another log, or from one that was cut since: it is made anew')
    emptyState(db)
  }
  return E.right({ log, state: same.right ? state : openState(db), shared: true, isHeard: hearing.isHeard })
}

/** For a person; never who comes, and with which password. */
const placeOf = ({ servers }: EventStoreAddress): string => {
  const endpoints = servers.tag === 'several' ? servers.endpoints : [servers.endpoint]
  return `the event log at ${endpoints.map(({ address, port }) => `${address}:${port}`).join(', ')}`
}

/** A subscription that is made again at once is no silence. */
const SILENCE_MS = 3000

const createHearing = (logger: Log) => {
  let lostAt: number | undefined
  return {
    lost: (reason: string): void => {
      if (lostAt === undefined) logger.warn('the event log is not heard any more, and is asked again', { reason })
      lostAt ??= systemClock.monotonic()
    },
    back: (): void => {
      if (lostAt !== undefined) logger.info('the event log is heard again')
      lostAt = undefined
    },
    isHeard: (): boolean => lostAt === undefined || systemClock.monotonic() - lostAt < SILENCE_MS,
  }
}
