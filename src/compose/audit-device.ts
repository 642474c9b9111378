import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import type { ContentError, Contents } from '../audit/contents.ts'
import type { AccountId, AgentKey, FolderId } from '../domain/events.ts'
import type { HistoryQuery, HistoryResult, Released } from '../domain/history.ts'
import type { ReadError, RecordedEvent, StreamReader } from '../eventlog/port.ts'
import type { HistoryError, HistoryReads, NamedFolder, Names } from '../projections/history/port.ts'
import { folderIdOf } from '../protocol/event-ids.ts'
import { readCheckpoint } from '../protocol/folder-checkpoint.ts'
import { decodeHistoryResult } from '../protocol/history-result.ts'
import { parseJson } from '../protocol/json.ts'
import { decodeLogPage } from '../protocol/log-page.ts'
import { MAX_AUDIT_ROWS, MAX_LOG_EVENTS, type Request } from '../protocol/messages.ts'
import type { ClientTransport } from '../transport/port.ts'
import { openDevice, type Device } from './account.ts'
import type { AuditSource } from './audit-source.ts'
import { callForBytes, type GrantedBytes } from './calls.ts'
import { connect } from './connect.ts'
import { fromHistory } from './from-history.ts'
import { fail, type Failure, type Outcome } from './failure.ts'

/** What a device may read of its account's folders, through its gateway. */
export const openDeviceSource = async (state: string, folder: string | undefined): Promise<Outcome<AuditSource>> => {
  const device = openDevice(state)
  if (E.isLeft(device)) return device
  const { enrolment, signer } = device.right
  const transport = await connect(enrolment.server, signer)
  const ask = asking(transport, device.right)
  const put = putting(ask, signer.key)
  return E.right({
    checkpoint: (wanted) => remoteCheckpoint(put, wanted, enrolment.gatewayKey),
    log: remoteLog(ask, signer.key),
    history: remoteHistory(put),
    names: remoteNames(ask, device.right, folder),
    contents: remoteContents(ask, put, signer.key),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  })
}

type Ask = (request: Request) => Promise<E.Either<HistoryError, GrantedBytes>>

const asking =
  (transport: ClientTransport, { enrolment }: Device): Ask =>
  async (request) =>
    E.mapLeft(toHistoryError)(await callForBytes(transport, enrolment.server, request))

const toHistoryError = ({ kind, reason }: Failure): HistoryError => {
  if (kind === 'refused') return { tag: 'Refused', reason }
  return { tag: kind === 'unreachable' ? 'Unreachable' : 'Unavailable', reason }
}

const strange = (reason: string): E.Either<HistoryError, never> =>
  E.left({ tag: 'Unavailable', reason: `the gateway gave an answer that is not of EventSync's form (${reason})` })

type Put = <Q extends HistoryQuery>(
  folder: FolderId,
  query: Q,
) => Promise<E.Either<HistoryError, Extract<HistoryResult, { readonly ask: Q['ask'] }>>>

/** Puts questions to the gateway's index. */
const putting =
  (ask: Ask, key: AgentKey): Put =>
  async <Q extends HistoryQuery>(folder: FolderId, query: Q) => {
    const answered = await ask({ tag: 'Audit', key, folder, query })
    if (E.isLeft(answered)) return answered
    const result = decodeHistoryResult(query.ask, parseJson(Buffer.from(answered.right.payload).toString('utf8')) ?? null)
    if (E.isLeft(result)) return strange(`${result.left.field} ${result.left.reason}`)
    // It was read as the answer to this question.
    return E.right(result.right as Extract<HistoryResult, { readonly ask: Q['ask'] }>)
  }

/** The gateway's word, if it is the one that this device was registered with. */
const remoteCheckpoint = async (put: Put, folder: FolderId, gatewayKey: string): Promise<Outcome<string>> => {
  const answered = fromHistory(await put(folder, { ask: 'checkpoint' }))
  if (E.isLeft(answered)) return answered
  const { text } = answered.right
  const read = readCheckpoint(text)
  if (E.isLeft(read)) return fail('failed', `the gateway's checkpoint cannot be believed: ${read.left}`)
  if (read.right.gatewayKey !== gatewayKey || read.right.folder !== folder)
    return fail('refused', "the gateway's checkpoint is signed by another key than this device was registered with, or of another folder")
  return E.right(text)
}

const remoteHistory = (put: Put): HistoryReads => {
  const rows = (max: number): number => Math.min(max, MAX_AUDIT_ROWS)
  return {
    head: (folder) => async () => E.map(({ revision }: { readonly revision: number }) => revision)(await put(folder, { ask: 'head' })),
    revisionAt: (folder, time) => async () =>
      E.map(({ revision }: { readonly revision: number }) => revision)(await put(folder, { ask: 'revisionAt', time })),
    events: (folder, query) => async () =>
      E.map(({ page }: Extract<HistoryResult, { ask: 'events' }>) => page)(
        await put(folder, { ask: 'events', query: { ...query, max: rows(query.max) } }),
      ),
    touched: (folder, path, at) => async () =>
      E.map(({ event }: Extract<HistoryResult, { ask: 'touched' }>) => event)(await put(folder, { ask: 'touched', path, at })),
    tree: (folder, at, after, max) => async () =>
      E.map(({ page }: Extract<HistoryResult, { ask: 'tree' }>) => page)(await put(folder, { ask: 'tree', at, after, max: rows(max) })),
    changes: (folder, between, after, max) => async () =>
      E.map(({ page }: Extract<HistoryResult, { ask: 'changes' }>) => page)(
        await put(folder, { ask: 'changes', between, after, max: rows(max) }),
      ),
  }
}

/** A folder is named by what is known on the device: its own, and any other of the account by its name or id. */
const remoteNames = (ask: Ask, { enrolment, signer }: Device, wanted: string | undefined): Names => {
  const { folder, email } = enrolment
  const account: AccountId = enrolment.account
  const own: NamedFolder = { folder, account, name: 'default' }
  const isId = wanted !== undefined && /^[0-9a-f]{32}$/.test(wanted)
  const other = (name: string): NamedFolder =>
    // The form of an id.
    ({ folder: isId ? (name as FolderId) : folderIdOf(account, name), account, name })
  const known = wanted === undefined || wanted === own.name || wanted === folder ? [own] : [own, other(wanted)]
  const right =
    <A>(value: A): TE.TaskEither<HistoryError, A> =>
    () =>
      Promise.resolve(E.right(value))
  return {
    folders: () => right(known),
    accounts: () => right([{ account, email }]),
    agents: () => async () => {
      const answered = await ask({ tag: 'Agents', key: signer.key })
      if (E.isLeft(answered)) return answered
      const { answer } = answered.right
      return answer.tag === 'AgentList' ? E.right(answer.agents.map(({ key: agent, name }) => ({ agent, account, name }))) : E.right([])
    },
  }
}

const toReadError = ({ reason }: HistoryError): ReadError => ({ tag: 'Unavailable', reason })

const remoteLog = (ask: Ask, key: AgentKey): StreamReader => {
  const page = async (stream: string, from: number, max: number): Promise<E.Either<ReadError, readonly RecordedEvent[]>> => {
    const answered = await ask({ tag: 'ReadLog', key, stream, from, max: Math.min(max, MAX_LOG_EVENTS) })
    if (E.isLeft(answered)) return E.left(toReadError(answered.left))
    const records = decodeLogPage(answered.right.payload)
    if (E.isLeft(records)) return E.mapLeft(toReadError)(strange(`${records.left.field} ${records.left.reason}`))
    // A gateway gives no place in the order of all streams.
    return E.right(records.right.map((record) => ({ ...record, stream, position: { order: BigInt(record.revision), token: '' } })))
  }
  return {
    read: (stream, from, max) => () => page(stream, from, max),
    last: (stream) => async () => E.map((events: readonly RecordedEvent[]) => events[0])(await page(stream, -1, 1)),
  }
}

const remoteContents = (ask: Ask, put: Put, key: AgentKey): Contents => ({
  chunk:
    (folder, version, { hash }) =>
    async (): Promise<E.Either<ContentError, Uint8Array>> => {
      const answered = await ask({ tag: 'Open', key, folder, unchecked: false, files: [{ version, chunks: [hash] }] })
      if (E.isLeft(answered)) return answered
      const { answer, payload } = answered.right
      if (answer.tag === 'Opened' && answer.chunks.length === 1) return E.right(payload)
      // The same words as on the gateway's side: since when, and not only that.
      const released = await put(folder, { ask: 'released', versions: [version] })
      if (E.isLeft(released)) return released
      const reason = `the gateway does not have the chunk ${hash} any more`
      return E.left({ tag: 'Gone', reason, released: released.right.released[0]?.time })
    },
  released: (folder, versions) => async () => {
    const released: Released[] = []
    for (let from = 0; from < versions.length; from += MAX_AUDIT_ROWS) {
      const answered = await put(folder, { ask: 'released', versions: versions.slice(from, from + MAX_AUDIT_ROWS) })
      if (E.isLeft(answered)) return answered
      released.push(...answered.right.released)
    }
    return E.right(released)
  },
})
