import type * as E from 'fp-ts/lib/Either.js'
import type { Described, Kind } from '../domain/content.ts'
import type { FolderEvent } from '../domain/events.ts'
import type { HistoryEntry, HistoryEvent, HistoryQuery, HistoryResult, PathChange, Proof, Released } from '../domain/history.ts'
import type { ProtocolError } from './error.ts'
import type { Json, JsonObject } from './json.ts'
import { MAX_AUDIT_ROWS } from './messages.ts'
import { Reader, type Fields, type Place } from './reader.ts'

const MAX_TEXT = 100_000

type Absent = JsonObject | Json | undefined
const present = (fields: Readonly<Record<string, Absent>>): JsonObject =>
  // What is undefined has just been left out.
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as JsonObject

const encodeEvent = (event: HistoryEvent): JsonObject => {
  const { revision, type, time, clientTime, account, agent, proof, path, from, fileId, content, detail } = event
  return present({
    Revision: revision,
    Type: type,
    Time: time,
    ClientTime: clientTime,
    Account: account,
    Agent: agent,
    Proof: proof,
    Path: path,
    From: from,
    File: fileId,
    Content: content && present({ ...content }),
    Detail: detail,
  })
}

const encodeChange = ({ path, before, after, cameFrom, wentTo }: PathChange): JsonObject =>
  present({ Path: path, Before: before && encodeEvent(before), After: after && encodeEvent(after), CameFrom: cameFrom, WentTo: wentTo })

/** A result as JSON: the payload of its answer. */
export const encodeHistoryResult = (result: HistoryResult): JsonObject => {
  switch (result.ask) {
    case 'head':
    case 'revisionAt':
      return { Revision: result.revision }
    case 'events':
      return present({ Events: result.page.events.map(encodeEvent), Next: result.page.next })
    case 'touched':
      return present({ Event: result.event && encodeEvent(result.event) })
    case 'tree':
      return present({ Entries: result.page.entries.map(encodeEvent), Next: result.page.next })
    case 'changes':
      return present({ Changes: result.page.changes.map(encodeChange), Next: result.page.next })
    case 'checkpoint':
      return { Text: result.text }
    case 'released':
      return { Released: result.released.map(({ version, time }) => ({ Version: version, Time: time })) }
  }
}

/** Reads the result of a question of this kind. */
export const decodeHistoryResult = (ask: HistoryQuery['ask'], json: Json): E.Either<ProtocolError, HistoryResult> => {
  const reader = new Reader()
  const fields = reader.fields(json, '')
  return reader.finish(readResult(reader, fields, ask))
}

const readResult = (reader: Reader, fields: Fields, ask: HistoryQuery['ask']): HistoryResult => {
  switch (ask) {
    case 'head':
    case 'revisionAt':
      return { ask, revision: fields.integer('Revision', -1) }
    case 'events': {
      const events = fields.list('Events', MAX_AUDIT_ROWS, (item, at) => readEvent(reader.fields(item, at)))
      return { ask, page: { events, next: fields.has('Next') ? fields.integer('Next') : undefined } }
    }
    case 'touched':
      return { ask, event: fields.has('Event') ? readEvent(fields.fields('Event')) : undefined }
    case 'tree':
      return {
        ask,
        page: { entries: fields.list('Entries', MAX_AUDIT_ROWS, (item, at) => readEntry(reader, item, at)), next: readNext(fields) },
      }
    case 'changes':
      return {
        ask,
        page: { changes: fields.list('Changes', MAX_AUDIT_ROWS, (item, at) => readChange(reader, item, at)), next: readNext(fields) },
      }
    case 'checkpoint':
      return { ask, text: fields.string('Text', MAX_TEXT) }
    case 'released':
      return { ask, released: fields.list('Released', MAX_AUDIT_ROWS, (item, at) => readReleased(reader.fields(item, at))) }
  }
}

const readReleased = (fields: Fields): Released => ({ version: fields.integer('Version'), time: fields.number('Time') })

const readNext = (fields: Fields) => (fields.has('Next') ? fields.path('Next') : undefined)

const optional = <A>(fields: Fields, field: string, read: (field: string) => A): A | undefined =>
  fields.has(field) ? read(field) : undefined

const readEvent = (fields: Fields): HistoryEvent => ({
  revision: fields.integer('Revision'),
  // A newer gateway may know more types: they are shown by their name.
  type: fields.string('Type', 100) as FolderEvent['type'],
  time: fields.number('Time'),
  clientTime: optional(fields, 'ClientTime', (field) => fields.number(field)),
  account: optional(fields, 'Account', (field) => fields.account(field)),
  agent: optional(fields, 'Agent', (field) => fields.agentKey(field)),
  proof: readProof(fields),
  path: optional(fields, 'Path', (field) => fields.path(field)),
  from: optional(fields, 'From', (field) => fields.path(field)),
  fileId: optional(fields, 'File', (field) => fields.fileId(field)),
  content: optional(fields, 'Content', (field) => readDescribed(fields.fields(field))),
  detail: optional(fields, 'Detail', (field) => fields.string(field, MAX_TEXT)),
})

const readProof = (fields: Fields): Proof => {
  const proof = fields.raw('Proof')
  if (proof === 'signed' || proof === 'password' || proof === 'gateway') return proof
  fields.fail('Proof', 'must be "signed", "password" or "gateway"')
  return 'gateway'
}

const KINDS: readonly Kind[] = ['file', 'directory', 'symlink']

const readDescribed = (fields: Fields): Described => {
  const kind = KINDS.find((each) => each === fields.raw('kind'))
  if (kind === undefined) fields.fail('kind', 'must be "file", "directory" or "symlink"')
  return {
    kind: kind ?? 'file',
    size: fields.size('size', Number.MAX_SAFE_INTEGER),
    hash: fields.hash('hash'),
    executable: fields.boolean('executable'),
    modified: fields.matching('modified', /^-?\d{1,20}$/, 'must be a time in nanoseconds'),
  }
}

const readEntry = (reader: Reader, json: Json, at: Place): HistoryEntry => {
  const fields = reader.fields(json, at)
  const event = readEvent(fields)
  return { ...event, path: fields.path('Path'), fileId: fields.fileId('File'), content: readDescribed(fields.fields('Content')) }
}

const readChange = (reader: Reader, json: Json, at: Place): PathChange => {
  const fields = reader.fields(json, at)
  return {
    path: fields.path('Path'),
    before: optional(fields, 'Before', (field) => readEntry(reader, fields.raw(field) ?? null, field)),
    after: optional(fields, 'After', (field) => readEntry(reader, fields.raw(field) ?? null, field)),
    cameFrom: optional(fields, 'CameFrom', (field) => fields.path(field)),
    wentTo: optional(fields, 'WentTo', (field) => fields.path(field)),
  }
}
