import * as E from 'fp-ts/lib/Either.js'
import { ACTION_WORDS, typesOf } from '../audit/actions.ts'
import { eventPages } from '../audit/pages.ts'
import type { FolderId } from '../domain/events.ts'
import { MAX_GLOB } from '../domain/glob.ts'
import { systemClock } from '../lib/clock.ts'
import type { EventFilter, HistoryEvent, HistoryReads } from '../projections/history/port.ts'
import type { Audit } from './audit.ts'
import { fromHistory } from './from-history.ts'
import { fail, type Outcome } from './failure.ts'

export interface LogFilter {
  readonly path?: string
  readonly agent?: readonly string[]
  readonly account?: readonly string[]
  readonly action?: readonly string[]
  readonly since?: string
  readonly until?: string
}

export interface LogQuery {
  readonly filter: EventFilter
  readonly from: number
  readonly to: number
}

/** What a person's words mean for this folder. */
export const logQuery = async (audit: Audit, words: LogFilter): Promise<Outcome<LogQuery>> => {
  const filter = filterOf(audit, words)
  if (E.isLeft(filter)) return filter
  const from = words.since === undefined ? E.right(0) : await firstAt(audit, words.since)
  const to = await audit.at(words.until)
  if (E.isLeft(from)) return from
  return E.map((last: number) => ({ filter: filter.right, from: from.right, to: last }))(to)
}

/** A position is where to begin; of a time, it is the first event after it. */
const firstAt = async ({ at }: Audit, moment: string): Promise<Outcome<number>> => {
  if (/^\s*\d+\s*$/.test(moment)) return E.right(Number(moment))
  return E.map((revision: number) => revision + 1)(await at(moment))
}

const filterOf = ({ names }: Audit, { path, agent, account, action }: LogFilter): Outcome<EventFilter> => {
  if (path !== undefined && path.length > MAX_GLOB) return fail('usage', `a pattern of paths has at most ${MAX_GLOB} characters`)
  const agents = allFound(agent, names.findAgents, (text) => `no agent in the log is called ${text}, and no key begins so`)
  if (E.isLeft(agents)) return agents
  const accounts = allFound(account, names.findAccounts, (text) => `no account in the log is called ${text}`)
  if (E.isLeft(accounts)) return accounts
  const types = allFound(action, typesOf, (text) => `${text} is no action; there are: ${ACTION_WORDS.join(', ')}, and the types of events`)
  if (E.isLeft(types)) return types
  return E.right({
    ...(path === undefined ? {} : { where: { tag: 'glob', glob: path } }),
    ...(agents.right === undefined ? {} : { agents: agents.right }),
    ...(accounts.right === undefined ? {} : { accounts: accounts.right }),
    ...(types.right === undefined ? {} : { types: types.right }),
  })
}

const allFound = <A>(
  texts: readonly string[] | undefined,
  find: (text: string) => readonly A[],
  unknown: (text: string) => string,
): Outcome<readonly A[] | undefined> => {
  const none = texts?.find((text) => find(text).length === 0)
  return none === undefined ? E.right(texts?.flatMap(find)) : fail('usage', unknown(none))
}

const FOLLOW_EVERY_MS = 250

/** The events asked for, page by page; where `follow` is given, those to come as well, until it aborts. */
export async function* logPages(
  { history, folder }: Audit,
  { filter, from, to }: LogQuery,
  follow?: AbortSignal,
): AsyncGenerator<Outcome<readonly HistoryEvent[]>, void> {
  let [first, last] = [from, to]
  for (;;) {
    for await (const page of eventPages(history, folder.folder, filter, { from: first, to: last })) yield fromHistory(page)
    const head = follow === undefined ? E.right(undefined) : await headBeyond(history, folder.folder, last, follow)
    if (E.isLeft(head)) {
      yield head
      return
    }
    if (head.right === undefined) return
    ;[first, last] = [Math.max(first, last + 1), head.right]
  }
}

/** The folder's head, once it is beyond a revision; undefined where the signal aborts first. */
const headBeyond = async (
  history: HistoryReads,
  folder: FolderId,
  revision: number,
  signal: AbortSignal,
): Promise<Outcome<number | undefined>> => {
  while (!signal.aborted) {
    const head = fromHistory(await history.head(folder)())
    if (E.isLeft(head) || head.right > revision) return head
    await systemClock.sleep(FOLLOW_EVERY_MS, signal)
  }
  return E.right(undefined)
}
