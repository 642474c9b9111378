import type { DatabaseSync } from 'node:sqlite'
import { either as E } from 'fp-ts'
import type { RecordedEvent } from '../../eventlog/port.ts'
import { decodeMetadata } from '../../protocol/event-codec.ts'
import { decodeEvent, eventErrorText } from '../decode.ts'
import { factsOf, type Facts, type Manifests } from './facts.ts'
import { readFollowTables, type FollowReads } from './read.ts'
import { openFollowTables } from './write.ts'

/** The following projections as the gateway uses them: never behind what it appended. */
export interface Followed extends FollowReads {
  /** Tells of events right after their append, in the order of their stream; events told of already change nothing. */
  note(events: readonly RecordedEvent[], manifests: Manifests): void
  /** Resolves when there is room for what the next append tells; the writer waits for it (I16). */
  room(): Promise<void>
}

/** The facts of events that this gateway appended or decided over. Throws on one that it can't understand: it can't have done either. */
export const factsOfAll = (events: readonly RecordedEvent[], manifests: Manifests): readonly Facts[] =>
  events.map((event) => {
    const decoded = decodeEvent(event.stream, event)
    if (E.isLeft(decoded)) throw new Error(eventErrorText(decoded.left, event))
    const metadata = decodeMetadata(event.metadata)
    if (E.isLeft(metadata)) throw new Error(eventErrorText(metadata.left, event))
    return factsOf(decoded.right, event.revision, metadata.right, manifests)
  })

/** The tables written in step with the appends, on the caller's thread: for tests and simulations, where no worker follows the log. */
export const followInline = (db: DatabaseSync): Followed => {
  const tables = openFollowTables(db)
  return {
    ...readFollowTables(db),
    // The checkpoint stays: streams may be told of out of the log's order, and a catch-up from an older one changes nothing.
    note: (events, manifests) => tables.keep(factsOfAll(events, manifests), undefined),
    room: () => Promise.resolve(),
  }
}
