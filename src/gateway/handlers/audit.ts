import * as E from 'fp-ts/lib/Either.js'
import type { Revision } from '../../domain/change.ts'
import { isHash, releasedSince } from '../../domain/content.ts'
import type { AgentKey, FolderId } from '../../domain/events.ts'
import type { HistoryQuery, HistoryResult, Released } from '../../domain/history.ts'
import type { RecordedEvent } from '../../eventlog/port.ts'
import type { HistoryError, HistoryReads } from '../../projections/history/port.ts'
import type { Agent } from '../../projections/port.ts'
import { encodeHistoryResult } from '../../protocol/history-result.ts'
import { checkpointPage, signCheckpoint } from '../../protocol/folder-checkpoint.ts'
import { encodeLogPage, WITHHELD } from '../../protocol/log-page.ts'
import { accountStream, folderOfStream, folderStream, ownerOfAgentStream } from '../../protocol/streams.ts'
import { MAX_PAYLOAD } from '../../transport/port.ts'
import { mayUse, type Core } from '../core.ts'
import { failed, refused } from '../refusals.ts'
import { contentAt } from './open.ts'
import { noFolder, reply, type Context, type Reply, type Signed } from './context.ts'

/** Whose streams an agent may read: its folders', its account's, and those of the account's agents. */
const mayRead = (core: Core, { account }: Agent, stream: string): boolean => {
  const folder: FolderId | undefined = folderOfStream(stream)
  if (folder !== undefined) return mayUse(core, account, folder)
  const agent: AgentKey | undefined = ownerOfAgentStream(stream)
  return agent === undefined ? stream === accountStream(account) : core.state.directory.agent(agent)?.account === account
}

/** What proves a password must not leave the gateway: a device may be stolen. Its event comes without its data, so that the chain can be followed. */
const withoutVerifier = (event: RecordedEvent): RecordedEvent => (event.data.includes('"verifier"') ? { ...event, data: WITHHELD } : event)

/** Events as the log has them, for whoever checks it by itself. */
export const readLog = async ({ core }: Context, { request, agent }: Signed<'ReadLog'>): Promise<Reply> => {
  const { stream, from, max } = request
  if (!mayRead(core, agent, stream)) return reply(refused(403, 'folder', 'there is no such stream for this account'))
  const read = await (from < 0 ? core.log.last(stream)() : core.log.read(stream, from, max)())
  if (E.isLeft(read)) return reply(failed(read.left))
  const found: readonly RecordedEvent[] = Array.isArray(read.right) ? read.right : [read.right].filter((event) => event !== undefined)
  const payload = fitting(stream === accountStream(agent.account) ? found.map(withoutVerifier) : found)
  return { answer: { tag: 'LogPage', status: 200, events: payload.events }, payload: payload.bytes }
}

/** The first so many that one answer holds; an event is far smaller than that. */
const fitting = (events: readonly RecordedEvent[]): { readonly events: number; readonly bytes: Buffer } => {
  for (let count = events.length; ; count = Math.floor(count / 2)) {
    const bytes = encodeLogPage(events.slice(0, count))
    if (bytes.length <= MAX_PAYLOAD) return { events: count, bytes }
  }
}

/** A question to the history index, for whoever may read the folder. */
export const audit = async (context: Context, { request, agent }: Signed<'Audit'>): Promise<Reply> => {
  const { folder, query } = request
  const foreign = noFolder(context, agent, folder)
  if (foreign !== undefined) return reply(foreign)
  for (let asked = query; ; asked = halved(asked)) {
    const result = await answerOf(context.core, folder, asked)
    if (E.isLeft(result)) return reply(failed({ tag: 'Unavailable' }))
    const payload = Buffer.from(JSON.stringify(encodeHistoryResult(result.right)))
    if (payload.length <= MAX_PAYLOAD) return { answer: { tag: 'Audited', status: 200, ask: query.ask }, payload }
  }
}

/** Half as many rows: those that were asked for have long names, and do not fit into an answer. */
const halved = (query: HistoryQuery): HistoryQuery => {
  if (query.ask === 'events') return { ...query, query: { ...query.query, max: Math.ceil(query.query.max / 2) } }
  return 'max' in query ? { ...query, max: Math.ceil(query.max / 2) } : query
}

const answerOf = async (core: Core, folder: FolderId, query: HistoryQuery): Promise<E.Either<HistoryError, HistoryResult>> => {
  switch (query.ask) {
    case 'checkpoint':
      return checkpointOf(core, folder)
    case 'released':
      return releasedOf(core, folder, query.versions)
    default:
      return historyOf(core.followed.history, folder, query)
  }
}

/** The gateway's signed word on where the folder's log stands now, for whoever keeps it elsewhere. */
const checkpointOf = async ({ log, signer, clock }: Core, folder: FolderId): Promise<E.Either<HistoryError, HistoryResult>> => {
  const last = await log.last(folderStream(folder))()
  if (E.isLeft(last)) return last
  const { revision, chain } = last.right ?? {}
  if (revision === undefined || !isHash(chain)) return E.left({ tag: 'Unavailable', reason: 'the folder has no events' })
  const time = new Date(clock.wall()).toISOString()
  return E.right({ ask: 'checkpoint', text: checkpointPage(signCheckpoint({ folder, position: revision, chain, time }, signer)) })
}

const releasedOf = async (
  { log, followed }: Core,
  folder: FolderId,
  versions: readonly Revision[],
): Promise<E.Either<HistoryError, HistoryResult>> => {
  const released: Released[] = []
  for (const version of followed.anyRetired() ? versions : []) {
    const content = await contentAt({ log }, undefined, folder, version)
    if (E.isLeft(content)) return content
    const time = content.right === undefined ? undefined : releasedSince(content.right, (hash) => followed.goneSince(hash))
    if (time !== undefined) released.push({ version, time })
  }
  return E.right({ ask: 'released', released })
}

const historyOf = async (
  history: HistoryReads,
  folder: FolderId,
  query: Exclude<HistoryQuery, { ask: 'checkpoint' | 'released' }>,
): Promise<E.Either<HistoryError, HistoryResult>> => {
  const { ask } = query
  switch (ask) {
    case 'head':
      return E.map((revision: number): HistoryResult => ({ ask, revision }))(await history.head(folder)())
    case 'revisionAt':
      return E.map((revision: number): HistoryResult => ({ ask, revision }))(await history.revisionAt(folder, query.time)())
    case 'events':
      return E.map((page: Extract<HistoryResult, { ask: 'events' }>['page']): HistoryResult => ({ ask, page }))(
        await history.events(folder, query.query)(),
      )
    case 'touched':
      return E.map((event: Extract<HistoryResult, { ask: 'touched' }>['event']): HistoryResult => ({ ask, event }))(
        await history.touched(folder, query.path, query.at)(),
      )
    case 'tree':
      return E.map((page: Extract<HistoryResult, { ask: 'tree' }>['page']): HistoryResult => ({ ask, page }))(
        await history.tree(folder, query.at, query.after, query.max)(),
      )
    case 'changes':
      return E.map((page: Extract<HistoryResult, { ask: 'changes' }>['page']): HistoryResult => ({ ask, page }))(
        await history.changes(folder, query.between, query.after, query.max)(),
      )
  }
}
