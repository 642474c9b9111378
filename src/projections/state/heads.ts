import type { DatabaseSync } from 'node:sqlite'
import type { HeadOfStream } from '../../domain/events.ts'
import type { LogPosition } from '../../eventlog/port.ts'

/** Where each stream ends, and up to where the whole log is folded in. */
export interface HeadTables {
  readonly of: (stream: string) => HeadOfStream | undefined
  /** Streams that grew since a Checkpoint told of them, at most `max`. */
  readonly unsigned: (max: number) => readonly HeadOfStream[]
  readonly set: (head: HeadOfStream) => void
  readonly setSigned: (stream: string, revision: number) => void
  readonly checkpoint: () => LogPosition | 'start'
  readonly setCheckpoint: (position: LogPosition) => void
}

// The columns that the statements below name.
const toHead = (row: unknown): HeadOfStream => ({ ...(row as HeadOfStream) })

export const prepareHeads = (db: DatabaseSync): HeadTables => {
  const of = db.prepare('SELECT stream, revision, chain FROM heads WHERE stream = ?')
  const unsigned = db.prepare('SELECT stream, revision, chain FROM heads WHERE signed < revision ORDER BY stream LIMIT ?')
  const set = db.prepare(
    'INSERT INTO heads (stream, revision, chain) VALUES (?, ?, ?) ON CONFLICT (stream) DO UPDATE SET revision = excluded.revision, chain = excluded.chain',
  )
  const setSigned = db.prepare('UPDATE heads SET signed = max(signed, ?) WHERE stream = ?')
  const checkpoint = db.prepare('SELECT position_order, token FROM state_checkpoint')
  const update = db.prepare('UPDATE state_checkpoint SET position_order = ?, token = ?')
  const insert = db.prepare('INSERT INTO state_checkpoint VALUES (?, ?)')
  return {
    of: (stream) => {
      const row = of.get(stream)
      return row && toHead(row)
    },
    unsigned: (max) => unsigned.all(max).map(toHead),
    set: ({ stream, revision, chain }) => void set.run(stream, revision, chain),
    setSigned: (stream, revision) => void setSigned.run(revision, stream),
    checkpoint: () => {
      const row = checkpoint.get()
      return row === undefined ? 'start' : { order: BigInt(String(row['position_order'])), token: String(row['token']) }
    },
    setCheckpoint: ({ order, token }) => {
      if (update.run(String(order), token).changes === 0) insert.run(String(order), token)
    },
  }
}
