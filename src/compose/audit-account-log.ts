import * as E from 'fp-ts/lib/Either.js'
import { accountEvents, type AdminEvent, type Cursors } from '../audit/account-events.ts'
import { systemClock } from '../lib/clock.ts'
import { parseWhen } from '../lib/when.ts'
import type { Audit } from './audit.ts'
import { fail, type Outcome } from './failure.ts'

export type { AdminEvent }

export interface AdminFilter {
  readonly action?: readonly string[]
  readonly since?: string
  readonly until?: string
}

const FOLLOW_EVERY_MS = 250

/**
 * What happened to the account of the folder, and at the gateways where their own events can be read, in the order of time; where `follow` is given,
 * what is to come as well, until it aborts.
 */
export async function* adminPages(
  { log, folder, whole }: Audit,
  words: AdminFilter,
  follow?: AbortSignal,
): AsyncGenerator<Outcome<readonly AdminEvent[]>, void> {
  const [from, to] = [timeOf(words.since, -Infinity), timeOf(words.until, Infinity)]
  if (E.isLeft(from) || E.isLeft(to)) {
    yield E.isLeft(from) ? from : E.map(() => [])(to)
    return
  }
  const types = words.action?.map((word) => word.toLowerCase())
  const cursors: Cursors = new Map()
  do {
    for await (const read of accountEvents(log, folder.account, whole, cursors)) {
      if (E.isLeft(read)) {
        const { tag, reason } = read.left
        yield tag === 'Damaged' ? fail('damaged', `${reason}: run 'eventsync audit verify'`) : fail('failed', reason)
        return
      }
      const { time, event } = read.right
      if (time > from.right && time <= to.right && types?.includes(event.type.toLowerCase()) !== false) yield E.right([read.right])
    }
    if (follow?.aborted === false) await systemClock.sleep(FOLLOW_EVERY_MS, follow)
  } while (follow?.aborted === false)
}

const timeOf = (moment: string | undefined, otherwise: number): Outcome<number> => {
  if (moment === undefined) return E.right(otherwise)
  const when = parseWhen(moment, systemClock.wall())
  if (E.isLeft(when)) return fail('usage', when.left)
  return when.right.tag === 'time'
    ? E.right(when.right.time)
    : fail('usage', `${moment} is a position of the folder: with --account-events, give times, as 2026-11-20T18:30 or "3 days ago"`)
}
