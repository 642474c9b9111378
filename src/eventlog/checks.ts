import type { ExpectedRevision, NewEvent } from './port.ts'

/** The most that one append holds, data and metadata together: EventStoreDB's bound, kept by every adapter so that a log can be moved between them. */
export const MAX_APPEND_BYTES = 1024 * 1024

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const CHAIN = /^[0-9a-f]{64}$/

/** A `$` at the start is a server's own in EventStoreDB: such streams and events would be left out of `readAll`. */
const isName = (name: string): boolean => name !== '' && !name.startsWith('$') && name.isWellFormed()

const eventRefusal = ({ id, type, data, metadata, chain }: NewEvent): string | undefined => {
  if (!UUID.test(id)) return 'an event id must be a lower-case UUID'
  if (!isName(type)) return 'an event type must be valid Unicode, not empty, and must not start with "$"'
  if (!CHAIN.test(chain)) return 'a chain must be 64 lower-case hex digits'
  if (!data.isWellFormed() || !metadata.isWellFormed()) return 'data and metadata must be valid Unicode'
  return undefined
}

/** Why no log takes this append, in words, or undefined where it may. Every adapter asks before it does anything. */
export const refusal = (stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): string | undefined => {
  if (!isName(stream)) return 'a stream name must be valid Unicode, not empty, and must not start with "$"'
  if (expected !== 'none' && !(Number.isSafeInteger(expected) && expected >= 0))
    return 'an expected revision must be a whole number from 0, or "none"'
  if (events.length === 0) return 'an append must hold at least one event'
  let bytes = 0
  for (const event of events) {
    const reason = eventRefusal(event)
    if (reason !== undefined) return reason
    bytes += Buffer.byteLength(event.data) + Buffer.byteLength(event.metadata)
  }
  return bytes > MAX_APPEND_BYTES ? `an append must have at most ${MAX_APPEND_BYTES} bytes` : undefined
}

export type Placing =
  | { readonly tag: 'append'; readonly revision: number }
  /** All of it is there already: nothing is appended, and the answer is the first one. */
  | { readonly tag: 'again'; readonly revision: number }
  | { readonly tag: 'Conflict'; readonly actual: ExpectedRevision }

/**
 * Where an append goes in a stream whose last revision is `last`: right after it, nowhere because the same ids lie at the expected
 * place already, or nowhere because others do. `idAt` reads the id at a revision that the stream has.
 */
export const place = (
  last: ExpectedRevision,
  expected: ExpectedRevision,
  events: readonly NewEvent[],
  idAt: (revision: number) => string,
): Placing => {
  const end = last === 'none' ? 0 : last + 1
  const revision = expected === 'none' ? 0 : expected + 1
  if (revision === end) return { tag: 'append', revision }
  if (revision + events.length > end) return { tag: 'Conflict', actual: last }
  const same = events.every(({ id }, index) => idAt(revision + index) === id)
  return same ? { tag: 'again', revision } : { tag: 'Conflict', actual: last }
}
