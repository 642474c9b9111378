import { sha256 } from './hash.ts'

/** What a chain covers of an event. */
export interface ChainedEvent {
  readonly stream: string
  readonly revision: number
  readonly id: string
  readonly type: string
  readonly data: string
  readonly metadata: string
}

/** A field with its length before it, so that no two lists of fields make the same text: `5:hello`, the length in bytes of UTF-8. */
const field = (text: string): string => `${Buffer.byteLength(text)}:${text}`

/**
 * The chain at an event: SHA-256 over the chain before it ('' at revision 0) and the event's fields, each with its length before it.
 * Whoever knows the chain at a revision notices any other history up to there (I9, I10).
 */
export const chainOf = (previous: string, event: ChainedEvent): string =>
  sha256(
    field(previous) +
      field(event.stream) +
      field(String(event.revision)) +
      field(event.id) +
      field(event.type) +
      field(event.data) +
      field(event.metadata),
  )
