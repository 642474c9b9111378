import type * as E from 'fp-ts/lib/Either.js'
import type { Base, Change } from '../domain/change.ts'
import type { Content } from '../domain/content.ts'
import { encodeShape, encodeSize, readContent } from './content-codec.ts'
import type { ProtocolError } from './error.ts'
import type { Json, JsonObject } from './json.ts'
import { Reader, type Fields, type Place } from './reader.ts'

/** Longest `Reason` of a hold, in characters. */
export const MAX_REASON = 500

/** A change with its names on the wire; its canonical JSON is what is signed, hashed and embedded in events. */
export const encodeChange = (change: Change): JsonObject => {
  switch (change.tag) {
    case 'create':
      return { Action: 'Create', File: encodeFile(change, {}) }
    case 'update':
      return { Action: 'Update', File: encodeFile(change, {}) }
    case 'move':
      return { Action: 'Move', File: encodeFile(change, { MovedFrom: change.from }) }
    case 'delete':
      return { Action: 'Delete', File: { Base: change.base, OriginalName: change.path } }
    case 'hold':
      return { Action: 'Hold', Count: change.count, Reason: change.reason }
    case 'approve':
      return { Action: 'Approve', Count: change.count }
  }
}

/** In canonical order. */
const encodeFile = ({ path, content, base }: Extract<Change, { readonly content: Content }>, moved: JsonObject): JsonObject => ({
  Base: base,
  ...encodeShape(content),
  ...moved,
  OriginalName: path,
  ...encodeSize(content),
})

const CONTENT_FIELDS = ['OriginalName', 'Base', 'Kind', 'Size', 'Hash', 'Chunks', 'Manifest', 'Modified', 'Mode']
const FILE_FIELDS = {
  Create: new Set(CONTENT_FIELDS),
  Update: new Set(CONTENT_FIELDS),
  Move: new Set([...CONTENT_FIELDS, 'MovedFrom']),
  Delete: new Set(['OriginalName', 'Base']),
}
const FILE_CHANGE = new Set(['Action', 'File'])
const HOLD_CHANGE = new Set(['Action', 'Count', 'Reason'])
const APPROVE_CHANGE = new Set(['Action', 'Count'])

/**
 * Reads one change. A field that is not known is refused: what is signed is kept for ever, and nothing may be kept whose meaning was not
 * understood. `checked`: it came from the log, where the gateway put it after checking its hash.
 */
export const readChange = (reader: Reader, json: Json, at: Place, checked: boolean): Change => {
  const fields = reader.fields(json, at)
  const action = fields.raw('Action')
  switch (action) {
    case 'Hold':
      fields.only(HOLD_CHANGE)
      return { tag: 'hold', count: fields.integer('Count'), reason: fields.words('Reason', MAX_REASON) }
    case 'Approve':
      fields.only(APPROVE_CHANGE)
      return { tag: 'approve', count: fields.integer('Count') }
    case 'Create':
    case 'Update':
    case 'Move':
    case 'Delete':
      fields.only(FILE_CHANGE)
      return readFileChange(reader, action, fields.fields('File'), checked)
    default:
      fields.fail('Action', 'must be "Create", "Update", "Move", "Delete", "Hold" or "Approve"')
      return { tag: 'approve', count: 0 }
  }
}

const readFileChange = (reader: Reader, action: keyof typeof FILE_FIELDS, file: Fields, checked: boolean): Change => {
  file.only(FILE_FIELDS[action])
  const path = file.path('OriginalName')
  const base = readBase(file)
  if (action === 'Delete') return { tag: 'delete', path, base }
  const content = readContent(reader, file, checked)
  if (action === 'Create') return { tag: 'create', path, content, base }
  if (action === 'Update') return { tag: 'update', path, content, base }
  const from = file.path('MovedFrom')
  if (from === path) file.fail('MovedFrom', 'must be another path')
  return { tag: 'move', from, path, content, base }
}

const readBase = (file: Fields): Base => {
  const base = file.raw('Base')
  if (base === 'none' || base === 'any') return base
  return file.integer('Base')
}

/** Reads a change from outside; `at` is its place in the message, for the error. */
export const decodeChange = (json: Json, at: Place): E.Either<ProtocolError, Change> => {
  const reader = new Reader()
  return reader.finish(readChange(reader, json, at, false))
}
