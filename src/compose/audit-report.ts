import * as E from 'fp-ts/lib/Either.js'
import { accountEvents } from '../audit/account-events.ts'
import { eventPages } from '../audit/pages.ts'
import { reportPage, type Report } from '../audit/report/html.ts'
import { createSummary } from '../audit/report/summary.ts'
import { systemClock } from '../lib/clock.ts'
import type { HistoryEvent } from '../projections/history/port.ts'
import { logQuery } from './audit-log.ts'
import type { Audit } from './audit.ts'
import { fromHistory } from './from-history.ts'
import { fail, type Outcome } from './failure.ts'

export { reportPage, type Report }

/** What happened in a span of time, summed up for people: in one pass over the index. */
export const report = async (audit: Audit, since: string | undefined, until: string | undefined): Promise<Outcome<Report>> => {
  const { history, folder, names } = audit
  const query = await logQuery(audit, { ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) })
  if (E.isLeft(query)) return query
  const span = query.right
  if (span.from > span.to) return fail('failed', 'nothing happened in that time')
  const [from, to] = [await timeAt(audit, span.from), await timeAt(audit, span.to)]
  if (E.isLeft(from)) return from
  if (E.isLeft(to)) return to
  const sums = createSummary(from.right, to.right)
  for await (const page of eventPages(history, folder.folder, span.filter, span)) {
    if (E.isLeft(page)) return fromHistory(page)
    for (const event of page.right) sums.add(event)
  }
  const refused = await refusedBetween(audit, from.right, until === undefined ? Infinity : to.right)
  if (E.isLeft(refused)) return refused
  const { total, senders, stretches } = sums.summary()
  return E.right({
    folder: folder.name,
    owner: names.email(folder.account) ?? folder.account,
    from: from.right,
    to: to.right,
    firstPosition: span.from,
    lastPosition: span.to,
    made: systemClock.wall(),
    total,
    senders: [...senders.values()]
      .map(({ first, tally }) => ({ ...nameOf(audit, first), tally }))
      .toSorted((a, b) => a.name.localeCompare(b.name)),
    stretches,
    signInsRefused: refused.right,
  })
}

/** Sign-ins to the folder's account, by one of its keys or its address, that were refused. */
const refusedBetween = async ({ log, folder }: Audit, from: number, to: number): Promise<Outcome<number>> => {
  let count = 0
  for await (const read of accountEvents(log, folder.account, false)) {
    if (E.isLeft(read)) return fail(read.left.tag === 'Damaged' ? 'damaged' : 'failed', read.left.reason)
    const { event, time } = read.right
    if (event.type === 'SignInsRefused' && time >= from && time <= to) count += event.count
  }
  return E.right(count)
}

/** When the event at a position was made; positions without an event of the index end the report. */
const timeAt = async ({ history, folder }: Audit, revision: number): Promise<Outcome<number>> => {
  const page = fromHistory(await history.events(folder.folder, { from: revision, to: revision, max: 1 })())
  if (E.isLeft(page)) return page
  const [event] = page.right.events
  return event === undefined ? fail('failed', `position ${revision} is not in the history index`) : E.right(event.time)
}

const PROOFS = { gateway: 'the gateway', password: 'by password', signed: 'signed' }

const nameOf = ({ names }: Audit, { agent, account, proof }: HistoryEvent): { readonly name: string; readonly account: string } => ({
  name: agent === undefined ? PROOFS[proof] : (names.agentName(agent) ?? agent),
  account: account === undefined ? '' : (names.email(account) ?? account),
})
