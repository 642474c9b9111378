import * as E from 'fp-ts/lib/Either.js'
import { EMPTY_HASH, isHash, type Hash } from '../domain/content.ts'
import type { AccountId, AgentKey, FileId, FolderId } from '../domain/events.ts'
import { parsePath, type SyncPath } from '../domain/path.ts'
import type { ProtocolError } from './error.ts'
import type { Json, JsonObject } from './json.ts'

const NOTHING: JsonObject = {}
// Stands where a path was wrong; `finish` never lets it out.
const NO_PATH = '?' as SyncPath

const isObject = (json: Json | undefined): json is JsonObject => typeof json === 'object' && json !== null && !Array.isArray(json)
const isList = (json: Json | undefined): json is readonly Json[] => Array.isArray(json)

/** Where something stands in a message. It is put into words only when it is wrong. */
export type Place = string | { readonly of: Place; readonly at: string | number }

/** A field of an object, or an item of a list. */
export const within = (of: Place, at: string | number): Place => (of === '' && typeof at === 'string' ? at : { of, at })

const nameOf = (place: Place): string => {
  if (typeof place === 'string') return place
  const { of, at } = place
  return typeof at === 'number' ? `${nameOf(of)}[${at}]` : `${nameOf(of)}.${at}`
}

/**
 * Reads fields of JSON from outside. The first field that is wrong is remembered and its reading yields a harmless value, so that
 * decoders are straight code; {@link Reader.finish} gives that error instead of what was built. One reader for a whole message.
 */
export class Reader {
  private failure: ProtocolError | undefined
  /** A file of one chunk has that chunk's hash. */
  private lastHash: Hash | undefined

  fail(place: Place, reason: string): void {
    this.failure ??= { tag: 'BadMessage', field: nameOf(place), reason }
  }

  get failed(): boolean {
    return this.failure !== undefined
  }

  finish<A>(value: A): E.Either<ProtocolError, A> {
    return this.failure === undefined ? E.right(value) : E.left(this.failure)
  }

  /** The fields of an object at `at` ('' for the message itself). */
  fields(json: Json | undefined, at: Place): Fields {
    if (isObject(json)) return new Fields(this, json, at)
    this.fail(at === '' ? 'message' : at, json === undefined ? 'is missing' : 'must be an object')
    return new Fields(this, NOTHING, at)
  }

  /** Each item of a list with at most `max`, read by `item`; stops at the first that is wrong. */
  list<A>(json: Json | undefined, at: Place, max: number, item: (json: Json, at: Place) => A): A[] {
    if (!isList(json)) {
      this.fail(at, json === undefined ? 'is missing' : 'must be a list')
      return []
    }
    if (json.length > max) this.fail(at, `must have at most ${max} items`)
    const read: A[] = []
    for (let i = 0; i < json.length && this.failure === undefined; i += 1) read.push(item(json[i] ?? null, within(at, i)))
    return read
  }

  hash(json: unknown, at: Place): Hash {
    if (this.lastHash !== undefined && json === this.lastHash) return this.lastHash
    if (isHash(json)) return (this.lastHash = json)
    this.fail(at, 'must be 64 lower-case hex digits')
    return EMPTY_HASH
  }

  integer(json: unknown, at: Place, min: number, max: number): number {
    if (typeof json === 'number' && Number.isSafeInteger(json) && json >= min && json <= max) return json
    this.fail(at, `must be an integer from ${min} to ${max}`)
    return min
  }
}

/** The fields of one object. Every method names the field in its error. */
export class Fields {
  private readonly reader: Reader
  private readonly object: JsonObject
  private readonly at: Place

  constructor(reader: Reader, object: JsonObject, at: Place) {
    this.reader = reader
    this.object = object
    this.at = at
  }

  private place(field: string): Place {
    return within(this.at, field)
  }

  /** No field of the protocol has a name that objects inherit. */
  raw(field: string): Json | undefined {
    return this.object[field]
  }

  names(): readonly string[] {
    return Object.keys(this.object)
  }

  has(field: string): boolean {
    return this.raw(field) !== undefined
  }

  fail(field: string, reason: string): void {
    this.reader.fail(this.place(field), reason)
  }

  /** Fails on any field beside these. */
  only(known: ReadonlySet<string>): void {
    // It is JSON's: it inherits nothing that can be enumerated.
    for (const field in this.object) if (!known.has(field)) this.fail(field, 'is not a known field')
  }

  fields(field: string): Fields {
    return this.reader.fields(this.raw(field), this.place(field))
  }

  /** The same, without complaint where there is no such object. */
  fieldsOrNone(field: string): Fields {
    const value = this.raw(field)
    return new Fields(this.reader, isObject(value) ? value : NOTHING, this.place(field))
  }

  list<A>(field: string, max: number, item: (json: Json, at: Place) => A): A[] {
    return this.reader.list(this.raw(field), this.place(field), max, item)
  }

  string(field: string, max: number): string {
    const value = this.raw(field)
    if (typeof value === 'string' && value.length <= max && value.isWellFormed()) return value
    this.fail(field, value === undefined ? 'is missing' : `must be a string of at most ${max} characters`)
    return ''
  }

  /** Words for people: not empty, one line, nothing that would steer a terminal. */
  words(field: string, max: number): string {
    const value = this.string(field, max)
    if (value.trim() === '' || /\p{Cc}/u.test(value)) this.fail(field, 'must be one line of text')
    return value
  }

  matching(field: string, pattern: RegExp, reason: string): string {
    const value = this.raw(field)
    if (typeof value === 'string' && pattern.test(value)) return value
    this.fail(field, value === undefined ? 'is missing' : reason)
    return ''
  }

  boolean(field: string): boolean {
    const value = this.raw(field)
    if (typeof value === 'boolean') return value
    this.fail(field, value === undefined ? 'is missing' : 'must be true or false')
    return false
  }

  /** Finite: JSON's 1e999 is Infinity when read, and could not be written again. */
  number(field: string): number {
    const value = this.raw(field)
    if (typeof value === 'number' && Number.isFinite(value)) return value
    this.fail(field, value === undefined ? 'is missing' : 'must be a number')
    return 0
  }

  integer(field: string, min = 0, max: number = Number.MAX_SAFE_INTEGER): number {
    return this.reader.integer(this.raw(field), this.place(field), min, max)
  }

  /** A size in bytes: a number, or, as PySync sends it, a string of decimal digits. */
  size(field: string, max: number): number {
    const value = this.raw(field)
    const size = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value
    if (typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 && size <= max) return size
    this.fail(field, value === undefined ? 'is missing' : `must be a whole number of bytes, at most ${max}`)
    return 0
  }

  hash(field: string): Hash {
    return this.reader.hash(this.raw(field), this.place(field))
  }

  path(field: string): SyncPath {
    const path = parsePath(this.raw(field))
    if (E.isRight(path)) return path.right
    this.fail(field, path.left.reason)
    return NO_PATH
  }

  folder(field: string): FolderId {
    // The form has just been checked; a wrong one never leaves `finish`. So for the two below.
    return this.id(field) as FolderId
  }

  account(field: string): AccountId {
    return this.id(field) as AccountId
  }

  fileId(field: string): FileId {
    return this.id(field) as FileId
  }

  private id(field: string): string {
    return this.matching(field, /^[0-9a-f]{32}$/, 'must be 32 lower-case hex digits')
  }

  /** 32 hex digits in either case; keys are upper-case. */
  agentKey(field: string): AgentKey {
    // The form of an AgentKey has just been checked; a wrong one never leaves `finish`.
    return this.matching(field, /^[0-9A-Fa-f]{32}$/, 'must be 32 hex digits').toUpperCase() as AgentKey
  }
}
