import * as E from 'fp-ts/lib/Either.js'
import type { Change } from '../domain/change.ts'
import type { Content } from '../domain/content.ts'
import type { FileEvent, FolderEvent } from '../domain/events.ts'
import { canonical } from './canonical.ts'
import { readChange } from './change-codec.ts'
import { encodeContent, readContent } from './content-codec.ts'
import { EVENT_VERSION, readVersioned, unknownEvent, type EventError } from './event-error.ts'
import type { Json } from './json.ts'
import { Reader, type Fields } from './reader.ts'

/** The signed change that made an event: embedded byte for byte. `change` spares reading it from its text, where it is at hand. */
export interface EmbeddedChange {
  readonly canonical: string
  readonly change?: Change
}

/** An event's type and JSON text, as a log keeps them. */
export interface EncodedEvent {
  readonly type: string
  readonly data: string
}

/**
 * An event of a folder's stream. What its change says already is not repeated: beside the change stand the gateway's own fields, and those
 * that came out otherwise (the path where it landed, the base as resolved). `because`: the place in the message of the change that made
 * this event beside its own (missing parents).
 */
export const encodeFolderEvent = (event: FolderEvent, change?: EmbeddedChange, because?: number): EncodedEvent => {
  const signed = change === undefined ? undefined : (change.change ?? readSigned(change.canonical))
  const own = { v: EVENT_VERSION, ...ownFields(event, signed), ...(because === undefined ? {} : { because }) }
  const text = JSON.stringify(own)
  return { type: event.type, data: change === undefined ? text : `${text.slice(0, -1)},"change":${change.canonical}}` }
}

/** {@link encodeFolderEvent} for what a change does to a file. */
export const encodeFileEvent = (event: FileEvent, change?: EmbeddedChange, because?: number): EncodedEvent =>
  encodeFolderEvent(event, change, because)

/** A change that has been read once already reads again; another is a bug of the caller. */
const readSigned = (text: string): Change => {
  const reader = new Reader()
  // JSON.parse gives nothing but JSON.
  const change = reader.finish(readChange(reader, JSON.parse(text) as Json, 'change', true))
  if (E.isRight(change)) return change.right
  throw new Error(`a change that cannot be read must not be embedded: ${change.left.field} ${change.left.reason}`)
}

const pathOf = (change: Change | undefined) => (change !== undefined && 'path' in change ? change.path : undefined)
const contentOf = (change: Change | undefined): Content | undefined =>
  change !== undefined && 'content' in change ? change.content : undefined
const baseOf = (change: Change | undefined) => (change !== undefined && 'base' in change ? change.base : undefined)
const fromOf = (change: Change | undefined) => (change?.tag === 'move' ? change.from : undefined)

const ownFields = (event: FolderEvent, change: Change | undefined): Record<string, Json> => {
  switch (event.type) {
    case 'FolderCreated':
      return { account: event.account, name: event.name }
    case 'DeletionHeld':
      return change?.tag === 'hold' ? {} : { count: event.count, reason: event.reason }
    case 'DeletionApproved':
      return change?.tag === 'approve' ? {} : { count: event.count }
    default:
      return fileFields(event, change)
  }
}

const fileFields = (event: FileEvent, change: Change | undefined): Record<string, Json> => ({
  fileId: event.fileId,
  ...(event.path === pathOf(change) ? {} : { path: event.path }),
  ...(event.type !== 'FileMoved' || event.from === fromOf(change) ? {} : { from: event.from }),
  ...(event.type === 'FileCreated' || event.base === baseOf(change) ? {} : { base: event.base }),
  ...(event.type === 'FileDeleted' || isSame(event.content, contentOf(change)) ? {} : { content: encodeContent(event.content) }),
})

const isSame = (content: Content, signed: Content | undefined): boolean =>
  content === signed || (signed !== undefined && canonical(encodeContent(content)) === canonical(encodeContent(signed)))

type FolderEventType = FolderEvent['type']

const TYPES: Readonly<Record<FolderEventType, true>> = {
  FolderCreated: true,
  FileCreated: true,
  FileUpdated: true,
  FileMoved: true,
  FileDeleted: true,
  DeletionHeld: true,
  DeletionApproved: true,
}

const isFolderEvent = (type: string): type is FolderEventType => Object.hasOwn(TYPES, type)

/** Reads an event of a folder's stream, of any version up to the present one. */
export const decodeFolderEvent = (encoded: EncodedEvent): E.Either<EventError, FolderEvent> =>
  E.map(({ event }: EmbeddingEvent) => event)(decodeEmbedding(encoded))

/** An event of a folder's stream, and the change that it embeds. */
export interface EmbeddingEvent {
  readonly event: FolderEvent
  readonly change: Change | undefined
}

/** The same with the change that the event embeds. */
export const decodeEmbedding = ({ type, data }: EncodedEvent): E.Either<EventError, EmbeddingEvent> =>
  isFolderEvent(type)
    ? readVersioned(type, data, (reader, fields) => {
        const change = fields.has('change') ? readChange(reader, fields.raw('change') ?? null, 'change', true) : undefined
        return { event: readEvent(fields, type, change, reader), change }
      })
    : unknownEvent(type, 0)

const CHANGE_FIELD = ',"change":'

/** The change's text in an event's data, byte for byte as it was signed; undefined where the event embeds none. It is always the last field. */
export const embeddedText = (data: string): string | undefined => {
  const start = data.indexOf(CHANGE_FIELD)
  return start < 0 ? undefined : data.slice(start + CHANGE_FIELD.length, -1)
}

const readEvent = (fields: Fields, type: FolderEventType, change: Change | undefined, reader: Reader): FolderEvent => {
  switch (type) {
    case 'FolderCreated':
      return { type, account: fields.account('account'), name: fields.string('name', 255) }
    case 'DeletionHeld':
      return change?.tag === 'hold'
        ? { type, count: change.count, reason: change.reason }
        : { type, count: fields.integer('count'), reason: fields.string('reason', 10_000) }
    case 'DeletionApproved':
      return { type, count: change?.tag === 'approve' ? change.count : fields.integer('count') }
    default:
      return readFileEvent(reader, fields, type, change)
  }
}

const readFileEvent = (reader: Reader, fields: Fields, type: FileEvent['type'], change: Change | undefined): FileEvent => {
  const fileId = fields.fileId('fileId')
  const path = (fields.has('path') ? undefined : pathOf(change)) ?? fields.path('path')
  if (type === 'FileDeleted') return { type, path, fileId, base: readBase(fields, change) }
  const content = (fields.has('content') ? undefined : contentOf(change)) ?? readContent(reader, fields.fields('content'), true)
  if (type === 'FileCreated') return { type, path, fileId, content }
  const base = readBase(fields, change)
  if (type === 'FileUpdated') return { type, path, fileId, content, base }
  return { type, from: (fields.has('from') ? undefined : fromOf(change)) ?? fields.path('from'), path, fileId, content, base }
}

const readBase = (fields: Fields, change: Change | undefined): number => {
  const base = fields.has('base') ? undefined : baseOf(change)
  return typeof base === 'number' ? base : fields.integer('base')
}
