import { certificateTrouble } from '../../lib/certificate-trouble.ts'
import type { AppendError, ExpectedRevision, ReadError } from '../port.ts'

/** What the vendor's client throws: one of its own errors (by `type`), or gRPC's (by `code`). */
interface Thrown {
  readonly type: string | undefined
  readonly code: number | undefined
  readonly text: string
  readonly actual: unknown
}

const thrown = (error: unknown): Thrown => {
  const fields: Readonly<Record<string, unknown>> = typeof error === 'object' && error !== null ? { ...error } : {}
  const { type, code, actualVersion } = fields
  const message = error instanceof Error ? error.message : String(error)
  const name = typeof type === 'string' ? type : undefined
  return {
    type: name,
    code: typeof code === 'number' ? code : undefined,
    text: message === '' ? (name ?? 'no reason given') : message,
    actual: actualVersion,
  }
}

/** gRPC's codes that are told apart. */
const CODE = { invalidArgument: 3, permissionDenied: 7, resourceExhausted: 8, unauthenticated: 16 } as const

const REFUSING_TYPES: Readonly<Record<string, string>> = {
  'access-denied': 'the user may not do this on the server, or its password is wrong',
  'maximum-append-size-exceeded': 'the append is larger than the server takes',
  'stream-deleted': 'the stream was deleted for good on the server: restore a backup',
  'missing-required-metadata-property': 'the server asks for a property that the event has not',
}

/** gRPC says so where a call never left this process. */
const NEVER_SENT = /no connection established|name resolution failed/i

const actualOf = (actual: unknown): ExpectedRevision => (typeof actual === 'bigint' ? Number(actual) : 'none')

const named = (text: string): string => {
  const trouble = certificateTrouble(text, 'tlsCAFile')
  return trouble === undefined ? `the event log's server: ${text}` : `the event log's server cannot be trusted: ${trouble}`
}

/** A deadline of our own: the client gives reads none. */
export class ReadDeadline extends Error {
  constructor(ms: number) {
    super(`no answer within ${ms} ms`)
  }
}

/**
 * What a failed append means. Only what can't have been written is anything but OutcomeUnknown: a call that ran into its deadline,
 * lost its connection or was cancelled has usually been written.
 */
export const appendError = (error: unknown): AppendError => {
  const { type, code, text, actual } = thrown(error)
  if (type === 'wrong-expected-version') return { tag: 'Conflict', actual: actualOf(actual) }
  const refused = REFUSING_TYPES[type ?? '']
  if (refused !== undefined) return { tag: 'Refused', reason: `${named(text)}: ${refused}` }
  if (code === CODE.unauthenticated || code === CODE.permissionDenied)
    return { tag: 'Refused', reason: `${named(text)}: ${REFUSING_TYPES['access-denied']}` }
  if (code === CODE.invalidArgument || code === CODE.resourceExhausted) return { tag: 'Refused', reason: named(text) }
  if (NEVER_SENT.test(text)) return { tag: 'Unavailable', reason: named(text) }
  return { tag: 'OutcomeUnknown', reason: named(text) }
}

/** What a failed read means: nothing there, or no answer for now. */
export const readError = (error: unknown): ReadError | 'absent' => {
  const { type, text } = thrown(error)
  if (type === 'stream-not-found') return 'absent'
  const refused = REFUSING_TYPES[type ?? '']
  return { tag: 'Unavailable', reason: refused === undefined ? named(text) : `${named(text)}: ${refused}` }
}

/** What a server says of a position at which nothing begins. */
const NO_RECORD = /Unexpected ReadAllResult|InvalidPosition/

/** Whether a read failed because no record begins at the position that was asked for. */
export const isNoRecord = (error: unknown): boolean => NO_RECORD.test(thrown(error).text)
