import * as E from 'fp-ts/lib/Either.js'
import { parseJson, type Json, type JsonObject } from './json.ts'
import { Reader, type Fields } from './reader.ts'

/** Why an event of the log can't be understood: a reader stops there with a clear error, and never skips it. */
export type EventError =
  /** A type, or a version of it, that this release does not know. */
  | { readonly tag: 'UnknownEvent'; readonly type: string; readonly version: number }
  | { readonly tag: 'BadEvent'; readonly type: string; readonly field: string; readonly reason: string }

export const unknownEvent = (type: string, version: number): E.Either<EventError, never> => E.left({ tag: 'UnknownEvent', type, version })

const badEvent = (type: string, field: string, reason: string): E.Either<EventError, never> =>
  E.left({ tag: 'BadEvent', type, field, reason })

/** Reads JSON text of an event; `type` is for the error. */
export const readEventJson = <A>(type: string, text: string, read: (reader: Reader, fields: Fields) => A): E.Either<EventError, A> => {
  const json = parseJson(text)
  return json === undefined ? badEvent(type, 'message', 'is not JSON') : readJson(type, json, read)
}

const readJson = <A>(type: string, json: Json, read: (reader: Reader, fields: Fields) => A): E.Either<EventError, A> => {
  const reader = new Reader()
  const result = reader.finish(read(reader, reader.fields(json, '')))
  return E.isRight(result) ? result : badEvent(type, result.left.field, result.left.reason)
}

/** Turns the fields of one version of an event into those of the next. */
export type Upcast = (type: string, fields: JsonObject) => JsonObject

/** From version 1 to 2 first, and so on: none while there is one version. */
const UPCASTS: readonly Upcast[] = []

/** The version (`v`) that events are written with. */
export const EVENT_VERSION = UPCASTS.length + 1

/** Reads an event's data, of any version up to the present one; a later one is unknown, and not guessed at. */
export const readVersioned = <A>(
  type: string,
  text: string,
  read: (reader: Reader, fields: Fields) => A,
  upcasts: readonly Upcast[] = UPCASTS,
): E.Either<EventError, A> => {
  const json = parseJson(text)
  if (json === undefined) return badEvent(type, 'message', 'is not JSON')
  const version = versionOf(json)
  if (version === upcasts.length + 1) return readJson(type, json, read)
  if (version === undefined || !isJsonObject(json)) return badEvent(type, 'v', 'must be the version of the event')
  if (version > upcasts.length) return unknownEvent(type, version)
  return readJson(
    type,
    upcasts.slice(version - 1).reduce((fields, upcast) => upcast(type, fields), json),
    read,
  )
}

const isJsonObject = (json: Json): json is JsonObject => typeof json === 'object' && json !== null && !Array.isArray(json)

const versionOf = (json: Json): number | undefined => {
  const version = isJsonObject(json) ? json['v'] : undefined
  return typeof version === 'number' && Number.isSafeInteger(version) && version >= 1 ? version : undefined
}
