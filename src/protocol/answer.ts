import type * as E from 'fp-ts/lib/Either.js'
import type { AgentKey } from '../domain/events.ts'
import { readChunk } from './content-codec.ts'
import type { ProtocolError } from './error.ts'
import { readHashOrNothing } from './head.ts'
import { readAsk } from './history-query.ts'
import type { Json } from './json.ts'
import {
  MAX_CHANGES,
  MAX_CONTENTS,
  MAX_HASHES,
  MAX_LOG_EVENTS,
  type AgentInfo,
  type Answer,
  type RemoteEntry,
  type Request,
} from './messages.ts'
import { readEntry, readOutcome, readRefusal } from './outcome.ts'
import { Reader, type Fields } from './reader.ts'
import { readReceipt } from './receipt.ts'

export { encodeAnswer } from './answer-writer.ts'

type RequestTag = Request['tag']

/** Which answers a request may have besides a refusal. */
const ANSWERS: Readonly<Record<RequestTag, readonly Answer['tag'][]>> = {
  RegisterUser: ['Done', 'Registered'],
  RegisterAgent: ['Done', 'Registered'],
  SignIn: ['Done'],
  Changes: ['Changed', 'SendChunks'],
  Missing: ['MissingChunks'],
  Chunks: ['Done'],
  Sync: ['Synced'],
  Open: ['Opened'],
  Synced: ['Done'],
  ReadLog: ['LogPage'],
  Audit: ['Audited'],
  Agents: ['AgentList'],
  RenameAgent: ['Done'],
  RevokeAgent: ['Done'],
  Plain: ['Done', 'SendChunks', 'Synced', 'OpenedFile'],
  Bytes: ['Done', 'SendChunks'],
}

const NO_ANSWER: Answer = { tag: 'Done', status: 200 }

/** Reads the answer to a request of this tag; one that another request would have is refused. */
export const decodeAnswer = (expected: RequestTag, json: Json): E.Either<ProtocolError, Answer> => {
  const reader = new Reader()
  const fields = reader.fields(json, '')
  if (fields.raw('Action') !== 'ServerResponse') fields.fail('Action', 'must be "ServerResponse"')
  const answer = reader.failed ? NO_ANSWER : readAnswer(reader, fields, ANSWERS[expected])
  return reader.finish(answer)
}

const readAnswer = (reader: Reader, fields: Fields, allowed: readonly Answer['tag'][]): Answer => {
  const status = fields.raw('Status')
  if (status === 100 && allowed.includes('SendChunks')) return { tag: 'SendChunks', status, missing: readMissing(reader, fields) }
  if (status === 200) return readDone(reader, fields, allowed)
  return readRefused(fields, status)
}

const readRefused = (fields: Fields, status: Json | undefined): Answer => {
  switch (status) {
    case 400:
    case 403:
    case 404:
    case 409:
    case 413:
    case 423:
    case 429:
    case 500:
    case 503:
    case 507:
      return { tag: 'Refused', status, ...readRefusal(fields) }
    default:
      fields.fail('Status', 'is not a status that this request may have')
      return NO_ANSWER
  }
}

/** The first of the allowed answers whose own field is there; `Done` has none. */
const readDone = (reader: Reader, fields: Fields, allowed: readonly Answer['tag'][]): Answer => {
  for (const tag of allowed) {
    const own = OWN_FIELDS[tag]
    if (own !== undefined && (fields.has(own.field) || !allowed.includes('Done'))) return own.read(reader, fields)
  }
  return NO_ANSWER
}

type OwnField = { readonly field: string; readonly read: (reader: Reader, fields: Fields) => Answer }

const OWN_FIELDS: Readonly<Partial<Record<Answer['tag'], OwnField>>> = {
  Registered: { field: 'GatewayKey', read: (_, fields) => readRegistered(fields) },
  Changed: { field: 'Results', read: (reader, fields) => readChanged(reader, fields) },
  MissingChunks: {
    field: 'Missing',
    read: (reader, fields) => ({ tag: 'MissingChunks', status: 200, missing: readMissing(reader, fields) }),
  },
  Synced: { field: 'Changes', read: (reader, fields) => readSynced(reader, fields) },
  Opened: { field: 'Chunks', read: (reader, fields) => readOpened(reader, fields) },
  OpenedFile: { field: 'File', read: (_, fields) => readOpenedFile(fields) },
  LogPage: { field: 'Events', read: (_, fields) => ({ tag: 'LogPage', status: 200, events: fields.integer('Events', 0, MAX_LOG_EVENTS) }) },
  Audited: { field: 'Audited', read: (_, fields) => ({ tag: 'Audited', status: 200, ask: readAsk(fields, 'Audited') }) },
  AgentList: {
    field: 'Agents',
    read: (reader, fields) => ({
      tag: 'AgentList',
      status: 200,
      agents: fields.list('Agents', MAX_AGENTS, (json, at) => readAgent(reader.fields(json, at))),
    }),
  },
}

const MAX_AGENTS = 10_000
const MAX_ENTRIES = 100_000

const readMissing = (reader: Reader, fields: Fields) => fields.list('Missing', MAX_HASHES * 2, (json, at) => reader.hash(json, at))

const readRegistered = (fields: Fields): Answer => ({
  tag: 'Registered',
  status: 200,
  account: fields.string('Account', 32),
  folder: fields.folder('Folder'),
  gatewayKey: fields.string('GatewayKey', 44),
})

const readChanged = (reader: Reader, fields: Fields): Answer => ({
  tag: 'Changed',
  status: 200,
  outcomes: fields.list('Results', MAX_CHANGES, (json, at) => readOutcome(reader, json, at)),
  position: fields.integer('Position', -1),
  receipt: fields.has('Receipt') ? readReceipt(reader, fields.raw('Receipt'), 'Receipt') : undefined,
})

const readSynced = (reader: Reader, fields: Fields): Answer => ({
  tag: 'Synced',
  status: 200,
  entries: readEntries(reader, fields.fields('Changes'), MAX_ENTRIES),
  position: fields.integer('Position', -1),
  chain: readHashOrNothing(fields, 'Chain'),
  since: readHashOrNothing(fields, 'Since'),
  head: fields.integer('Head', -1),
  more: fields.boolean('More'),
})

/** The lists are one again, in the order of the log; of one event's two paths (a move), the one that was left comes first. `max`: of one list. */
export const readEntries = (reader: Reader, changes: Fields, max: number): readonly RemoteEntry[] => {
  const read = (list: string): RemoteEntry[] => changes.list(list, max, (json, at) => readEntry(reader, json, at))
  const entries = [...read('Deleted'), ...read('Created').map((entry) => ({ ...entry, created: true })), ...read('Updated')]
  return entries.toSorted((a, b) => a.version - b.version)
}

const readOpened = (reader: Reader, fields: Fields): Answer => ({
  tag: 'Opened',
  status: 200,
  chunks: fields.list('Chunks', Math.max(MAX_CONTENTS, MAX_HASHES), (json, at) => readChunk(reader, json, at)),
  missing: readMissing(reader, fields),
})

const readOpenedFile = (fields: Fields): Answer => {
  const file = fields.fields('File')
  return { tag: 'OpenedFile', status: 200, path: file.path('OriginalName'), size: file.size('Size', Number.MAX_SAFE_INTEGER) }
}

const readAgent = (fields: Fields): AgentInfo => ({
  key: fields.agentKey('Key') satisfies AgentKey,
  name: fields.string('Name', 1000),
  registered: fields.string('Registered', 100),
  revoked: fields.boolean('Revoked'),
  self: fields.boolean('Self'),
})
