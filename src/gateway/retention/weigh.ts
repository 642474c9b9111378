import type { DatabaseSync } from 'node:sqlite'
import type { Hash } from '../../domain/content.ts'
import { transaction } from '../../lib/sqlite.ts'
import type { Weighed } from './policy.ts'

/** A chunk of a pack that the log tells of. */
export interface PackedChunk {
  readonly pack: string
  readonly hash: Hash
  readonly size: number
}

/** More than a pack keeps of each chunk beside its bytes: a pack that is needed whole weighs all that it takes. */
const ENTRY_BYTES = 64

/** Writes into the run's own database what is needed of each pack. A pack of which nothing is the latest place of a chunk weighs nothing. */
export const weighPacks = (db: DatabaseSync, packs: Iterable<string>, chunks: Iterable<PackedChunk>): void => {
  const known = db.prepare('INSERT INTO weighed VALUES (?, 0, 0) ON CONFLICT DO NOTHING')
  const isLive = db.prepare('SELECT 1 FROM live WHERE hash = ?')
  const live = db.prepare('UPDATE weighed SET live_bytes = live_bytes + ? WHERE pack = ?')
  const dead = db.prepare('UPDATE weighed SET dead = dead + 1 WHERE pack = ?')
  transaction(db, () => {
    for (const pack of packs) known.run(pack)
    for (const { pack, hash, size } of chunks) {
      if (isLive.get(Buffer.from(hash, 'hex')) === undefined) dead.run(pack)
      else live.run(size + ENTRY_BYTES, pack)
    }
  })
}

/** What is needed of a pack; undefined: the log tells of no such pack. */
export const weightsOf = (db: DatabaseSync): ((pack: string) => Omit<Weighed, 'bytes'> | undefined) => {
  const find = db.prepare('SELECT live_bytes, dead FROM weighed WHERE pack = ?')
  return (pack) => {
    const row = find.get(pack)
    return row && { liveBytes: Number(row['live_bytes']), dead: Number(row['dead']) }
  }
}
