import * as E from 'fp-ts/lib/Either.js'
import type { ProtocolError } from './error.ts'
import { parseJson, type Json } from './json.ts'

/** An event as the log has it, byte for byte. */
export interface LogRecord {
  readonly revision: number
  readonly id: string
  readonly type: string
  readonly data: string
  readonly metadata: string
  readonly chain: string
}

/** The data of an event that is kept back: all else of it is told, so that its chain can be followed. */
export const WITHHELD = ''

/** The payload of a log page: each event a JSON list on a line of its own. */
export const encodeLogPage = (events: readonly LogRecord[]): Buffer =>
  Buffer.from(
    events
      .map(({ revision, id, type, data, metadata, chain }) => `${JSON.stringify([revision, id, type, data, metadata, chain])}\n`)
      .join(''),
  )

const bad = (line: number): E.Either<ProtocolError, never> =>
  E.left({ tag: 'BadMessage', field: `line ${line}`, reason: 'must be a list of revision, id, type, data, metadata and chain' })

const isTexts = (values: readonly Json[]): values is readonly string[] => values.every((value) => typeof value === 'string')

/** Reads a log page. What the events say is for others to judge. */
export const decodeLogPage = (payload: Uint8Array): E.Either<ProtocolError, readonly LogRecord[]> => {
  const events: LogRecord[] = []
  for (const line of Buffer.from(payload).toString('utf8').split('\n')) {
    if (line === '') continue
    const json = parseJson(line)
    const list: readonly Json[] = Array.isArray(json) ? (json as readonly Json[]) : []
    const [revision, ...texts] = list
    if (typeof revision !== 'number' || texts.length !== 5 || !isTexts(texts)) return bad(events.length + 1)
    const [id = '', type = '', data = '', metadata = '', chain = ''] = texts
    events.push({ revision, id, type, data, metadata, chain })
  }
  return E.right(events)
}
