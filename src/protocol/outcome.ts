import { encodeContent, readContent } from './content-codec.ts'
import type { Json, JsonObject } from './json.ts'
import { CODES, type Code, type Outcome, type RemoteEntry } from './messages.ts'
import { within, type Fields, type Reader, type Place } from './reader.ts'

/** A path's version with its names on the wire; a deleted one has no content, and `Size` 0 for PySync's clients. */
export const encodeEntry = (entry: RemoteEntry): JsonObject => ({
  Name: entry.fileId,
  OriginalName: entry.path,
  Version: entry.version,
  ...(entry.content === undefined ? { Size: '0', Deleted: true } : { Size: '0', ...encodeContent(entry.content) }),
})

/** What the gateway says of a path; its hashes were checked when it took them in. */
export const readEntry = (reader: Reader, json: Json | undefined, at: Place): RemoteEntry => {
  const fields = reader.fields(json, at)
  return {
    path: fields.path('OriginalName'),
    version: fields.integer('Version'),
    fileId: fields.fileId('Name'),
    content: fields.raw('Deleted') === true ? undefined : readContent(reader, fields, true),
  }
}

export const encodeOutcome = (outcome: Outcome): JsonObject =>
  outcome.status === 200
    ? { Status: 200, Version: outcome.revision, ...(outcome.path === undefined ? {} : { OriginalName: outcome.path }) }
    : {
        Status: outcome.status,
        Code: outcome.code,
        Reason: outcome.reason,
        ...(outcome.present === undefined ? {} : { File: encodeEntry(outcome.present) }),
      }

export const readOutcome = (reader: Reader, json: Json, at: Place): Outcome => {
  const fields = reader.fields(json, at)
  const status = fields.raw('Status')
  switch (status) {
    case 200:
      return { status, revision: fields.integer('Version'), path: fields.has('OriginalName') ? fields.path('OriginalName') : undefined }
    case 400:
    case 403:
    case 404:
    case 409:
    case 413:
    case 423:
      return {
        status,
        ...readRefusal(fields),
        present: fields.has('File') ? readEntry(reader, fields.raw('File'), within(at, 'File')) : undefined,
      }
    default:
      fields.fail('Status', 'must be the status of a change')
      return { status: 200, revision: 0, path: undefined }
  }
}

const MAX_REASON = 10_000

const isCode = (text: string): text is Code => Object.hasOwn(CODES, text)

/** `Code` and `Reason` of a refusal. */
export const readRefusal = (fields: Fields): { readonly code: Code; readonly reason: string } => {
  const code = fields.string('Code', MAX_REASON)
  const reason = fields.string('Reason', MAX_REASON)
  if (isCode(code)) return { code, reason }
  fields.fail('Code', 'is not a known code')
  return { code: 'fault', reason }
}
