import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { systemClock } from '../../lib/clock.ts'
import type { Endpoint, EventStoreAddress } from '../../lib/eventstore-address.ts'
import { ask, membersOf } from './ask.ts'
import { checker, codeOf, type Check } from './check.ts'
import { checkClock } from './clock.ts'

const as = checker('log')
const DEADLINE_MS = 5000

/** EventStoreDB and KurrentDB versions that EventSync is written for. */
const WRITTEN_FOR = /^(?:23\.10|24\.\d+|25\.\d+|26\.\d+)\./

/** Whether the log's server lets this user read everything, which of the servers answer, their version and their clocks. Appends nothing. */
export const checkLog = async (address: EventStoreAddress): Promise<readonly Check[]> => {
  const ca = authority(address)
  if (E.isLeft(ca)) return [ca.left]
  const { servers } = address
  const endpoints = servers.tag === 'several' ? servers.endpoints : [servers.endpoint]
  const each = endpoints.map((endpoint) => checkServer(address, endpoint, ca.right))
  return [await reads(address), ...(await Promise.all(each)).flat()]
}

const authority = ({ caFile }: EventStoreAddress): E.Either<Check, string | undefined> =>
  E.tryCatch(
    () => (caFile === undefined ? undefined : readFileSync(caFile, 'utf8')),
    (error) => as.failed('usage', 'certificate', `${caFile} cannot be read (${codeOf(error)})`, 'check tlsCAFile in EVENTSYNC_LOG_URL'),
  )

const reads = async (address: EventStoreAddress): Promise<Check> => {
  const { openEventStoreLog } = await import('../../eventlog/eventstoredb/log.ts')
  await using log = openEventStoreLog({ address, sleep: systemClock.sleep, deadline: DEADLINE_MS })
  const read = await log.readAll('start', 1)()
  if (E.isRight(read)) return as.ok('reading', 'the user may read everything')
  const { reason } = read.left
  if (/may not|password/i.test(reason))
    return as.failed(
      'refused',
      'reading',
      reason,
      'check the user and password in EVENTSYNC_LOG_URL: it must be an administrator of the log',
    )
  return as.failed('unreachable', 'reading', reason, 'start the server, and check EVENTSYNC_LOG_URL (host, port, tls, tlsCAFile)')
}

/** By the plain HTTP side of the same port. */
const checkServer = async ({ tls }: EventStoreAddress, { address, port }: Endpoint, ca: string | undefined): Promise<readonly Check[]> => {
  const name = `${address}:${port}`
  const answer = await ask(`${tls ? 'https' : 'http'}://${name}/info`, ca === undefined ? {} : { ca })
  if (E.isLeft(answer)) return [as.warning(`version of ${name}`, `it does not tell (${answer.left})`, 'look at GET /info there')]
  const { dbVersion, esVersion } = membersOf(answer.right.body)
  const version = [dbVersion, esVersion].find((each) => typeof each === 'string')
  const clock = checkClock(as, answer.right.date, systemClock.wall())
  if (version === undefined) return [as.warning(`version of ${name}`, 'it does not tell', 'look at GET /info there'), clock]
  return WRITTEN_FOR.test(`${version}.`)
    ? [as.ok(`version of ${name}`, version), clock]
    : [
        as.warning(
          `version of ${name}`,
          `${version}: EventSync was written for 23.10 to 26`,
          'read docs/eventstoredb.md before you rely on it',
        ),
        clock,
      ]
}
