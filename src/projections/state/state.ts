import type { DatabaseSync } from 'node:sqlite'
import * as E from 'fp-ts/lib/Either.js'
import type { RecordedEvent } from '../../eventlog/port.ts'
import { reading, transaction } from '../../lib/sqlite.ts'
import { createDecoder } from '../decoder.ts'
import type { LogDecoder, StateFold, Stopped } from '../port.ts'
import { prepareDirectory } from './directory.ts'
import { foldStream, type StateTables } from './fold.ts'
import { prepareHeads } from './heads.ts'
import { prepareMessages } from './messages.ts'
import { migrateState } from './schema.ts'
import { prepareTrees } from './tree.ts'

export type { StateFold } from '../port.ts'

/** Opens the state's tables in a database, which may be the log's own. */
export const openState = (db: DatabaseSync, decoder: LogDecoder = createDecoder()): StateFold => {
  migrateState(db)
  const tables: StateTables = {
    decoder,
    heads: prepareHeads(db),
    trees: prepareTrees(db),
    directory: prepareDirectory(db),
    messages: prepareMessages(db),
  }
  const { heads, trees, directory, messages } = tables
  return {
    decoder,
    head: heads.of,
    unsignedHeads: heads.unsigned,
    tree: trees.of,
    directory,
    messages,
    checkpoint: heads.checkpoint,
    together: (ask) => reading(db, ask),
    apply: (stream, events) => inTransaction(db, () => foldStream(tables, stream, events)),
    applyNext: (events) => inTransaction(db, () => foldNext(tables, events)),
    appended: (stream, events) => {
      orThrow(foldStream(tables, stream, events))
      setCheckpoint(tables, events)
    },
  }
}

const foldNext = (tables: StateTables, events: readonly RecordedEvent[]): E.Either<Stopped, void> => {
  for (const run of runs(events)) {
    const folded = foldStream(tables, run[0]?.stream ?? '', run)
    if (E.isLeft(folded)) return folded
  }
  return E.right(setCheckpoint(tables, events))
}

const setCheckpoint = ({ heads }: StateTables, events: readonly RecordedEvent[]): void => {
  const last = events.at(-1)
  if (last !== undefined) heads.setCheckpoint(last.position)
}

/** Runs of events of one stream, in order. */
const runs = (events: readonly RecordedEvent[]): readonly (readonly RecordedEvent[])[] => {
  const found: RecordedEvent[][] = []
  for (const event of events) {
    const last = found.at(-1)
    if (last?.[0]?.stream === event.stream) last.push(event)
    else found.push([event])
  }
  return found
}

/** Carries a left out of a transaction, which keeps nothing then. */
class RolledBack extends Error {
  readonly left: Stopped
  constructor(left: Stopped) {
    super(left.reason)
    this.left = left
  }
}

const orThrow = (result: E.Either<Stopped, void>): void => {
  if (E.isLeft(result)) throw new RolledBack(result.left)
}

const inTransaction = (db: DatabaseSync, fold: () => E.Either<Stopped, void>): E.Either<Stopped, void> => {
  try {
    return E.right(transaction(db, () => orThrow(fold())))
  } catch (error) {
    if (error instanceof RolledBack) return E.left(error.left)
    throw error
  }
}
