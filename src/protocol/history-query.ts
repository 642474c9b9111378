import type { EventFilter, EventQuery, HistoryQuery } from '../domain/history.ts'
import { MAX_GLOB } from '../domain/glob.ts'
import type { Json, JsonObject } from './json.ts'
import { MAX_AUDIT_ROWS } from './messages.ts'
import type { Fields, Reader } from './reader.ts'

/** Most names that one list of a filter has. */
const MAX_LIST = 100
const MAX_TYPE = 100

const ASKS: Readonly<Record<HistoryQuery['ask'], true>> = {
  head: true,
  revisionAt: true,
  events: true,
  touched: true,
  tree: true,
  changes: true,
  checkpoint: true,
  released: true,
}

export const readAsk = (fields: Fields, field: string): HistoryQuery['ask'] => {
  const ask = fields.raw(field)
  if (typeof ask === 'string' && Object.hasOwn(ASKS, ask)) return ask as HistoryQuery['ask'] // One of the keys.
  fields.fail(field, 'is not a question about history')
  return 'head'
}

const bound = (revision: number): number => Math.min(revision, Number.MAX_SAFE_INTEGER)

/** A question about history with its names on the wire. */
export const encodeHistoryQuery = (query: HistoryQuery): JsonObject => {
  switch (query.ask) {
    case 'head':
    case 'checkpoint':
      return { Ask: query.ask }
    case 'revisionAt':
      return { Ask: query.ask, Time: query.time }
    case 'events':
      return { Ask: query.ask, ...encodeFilter(query.query), From: query.query.from, To: bound(query.query.to), Max: query.query.max }
    case 'touched':
      return { Ask: query.ask, Path: query.path, At: bound(query.at) }
    case 'tree':
      return { Ask: query.ask, At: bound(query.at), ...encodeAfter(query.after), Max: query.max }
    case 'changes':
      return { Ask: query.ask, From: query.between.from, To: bound(query.between.to), ...encodeAfter(query.after), Max: query.max }
    case 'released':
      return { Ask: query.ask, Versions: query.versions }
  }
}

const encodeAfter = (after: string | undefined): JsonObject => (after === undefined ? {} : { After: after })

const encodeWhere = (where: EventFilter['where']): JsonObject => {
  if (where === undefined) return {}
  if (where.tag === 'path') return { Path: where.path }
  return where.tag === 'file' ? { File: where.fileId } : { Glob: where.glob }
}

const encodeFilter = ({ where, agents, accounts, types }: EventFilter): JsonObject => ({
  ...encodeWhere(where),
  ...(agents === undefined ? {} : { Agents: agents }),
  ...(accounts === undefined ? {} : { Accounts: accounts }),
  ...(types === undefined ? {} : { Types: types }),
})

export const readHistoryQuery = (reader: Reader, fields: Fields): HistoryQuery => {
  const ask = readAsk(fields, 'Ask')
  switch (ask) {
    case 'head':
    case 'checkpoint':
      return { ask }
    case 'revisionAt':
      return { ask, time: fields.number('Time') }
    case 'events':
      return { ask, query: readEventQuery(reader, fields) }
    case 'touched':
      return { ask, path: fields.path('Path'), at: fields.integer('At', -1) }
    case 'tree':
      return { ask, at: fields.integer('At', -1), ...readPage(fields) }
    case 'changes':
      return { ask, between: { from: fields.integer('From', -1), to: fields.integer('To', -1) }, ...readPage(fields) }
    case 'released':
      return { ask, versions: fields.list('Versions', MAX_AUDIT_ROWS, (json, at) => reader.integer(json, at, 0, Number.MAX_SAFE_INTEGER)) }
  }
}

const readMax = (fields: Fields): number => fields.integer('Max', 1, MAX_AUDIT_ROWS)

const readPage = (fields: Fields) => ({ after: fields.has('After') ? fields.path('After') : undefined, max: readMax(fields) })

const readEventQuery = (reader: Reader, fields: Fields): EventQuery => ({
  ...readWhere(fields),
  ...(fields.has('Agents')
    ? { agents: fields.list('Agents', MAX_LIST, (json) => reader.fields({ Key: json }, 'Agents').agentKey('Key')) }
    : {}),
  ...(fields.has('Accounts')
    ? { accounts: fields.list('Accounts', MAX_LIST, (json) => reader.fields({ Account: json }, 'Accounts').account('Account')) }
    : {}),
  ...(fields.has('Types') ? { types: fields.list('Types', MAX_LIST, (json) => readType(reader, json)) } : {}),
  from: fields.integer('From'),
  to: fields.integer('To', -1),
  max: readMax(fields),
})

const readType = (reader: Reader, json: Json): string => reader.fields({ Type: json }, 'Types').string('Type', MAX_TYPE)

const readWhere = (fields: Fields): Pick<EventFilter, 'where'> => {
  if (fields.has('Path')) return { where: { tag: 'path', path: fields.path('Path') } }
  if (fields.has('File')) return { where: { tag: 'file', fileId: fields.fileId('File') } }
  return fields.has('Glob') ? { where: { tag: 'glob', glob: fields.string('Glob', MAX_GLOB) } } : {}
}
