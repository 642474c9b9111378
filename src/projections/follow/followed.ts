import type { DatabaseSync } from 'node:sqlite'
import * as E from 'fp-ts/lib/Either.js'
import type { RecordedEvent } from '../../eventlog/port.ts'
import { createDecoder } from '../decoder.ts'
import { readHistory } from '../history/reads.ts'
import type { Followed, LogDecoder, ManifestChunks } from '../port.ts'
import { factsOf, type Facts } from './facts.ts'
import { readFollowTables } from './read.ts'
import { openFollowTables } from './write.ts'

/** The facts of events that this gateway appended or decided over. Throws on one that it can't understand: it can't have done either. */
export const factsOfAll = (decoder: LogDecoder, events: readonly RecordedEvent[], manifests: ManifestChunks): readonly Facts[] =>
  events.map((event) => {
    const decoded = decoder.decode(event)
    if (E.isLeft(decoded)) throw new Error(decoded.left.reason)
    return factsOf(decoded.right, event.revision, manifests)
  })

/** The tables written in step with the appends, on the caller's thread: for tests and simulations, where no worker follows the log. */
export const followInline = (db: DatabaseSync, decoder: LogDecoder = createDecoder()): Followed => {
  const tables = openFollowTables(db)
  return {
    ...readFollowTables(db),
    history: readHistory(db),
    // The checkpoint stays: streams may be told of out of the log's order, and a catch-up from an older one changes nothing.
    note: (events, manifests) => tables.keep(factsOfAll(decoder, events, manifests), undefined),
    room: () => Promise.resolve(),
  }
}
