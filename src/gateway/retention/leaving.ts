import type { DatabaseSync } from 'node:sqlite'
import type { RetiredObject } from '../../blobstore/port.ts'
import type { Hash } from '../../domain/content.ts'
import { transaction } from '../../lib/sqlite.ts'

export interface LeavingObject {
  readonly id: number
  readonly object: RetiredObject
  readonly bytes: number
}

/** The objects that a run takes away, in its own database: retired ones, and what they held. */
export interface Leaving {
  add(object: RetiredObject, bytes: number, chunks: readonly Hash[]): void
  /** Those in which a chunk lies that is needed after all, with those chunks; in order, after one of them. */
  needed(after: number, max: number): readonly (LeavingObject & { readonly chunks: readonly Hash[] })[]
  /** In the order in which they were added, after one of them. */
  list(after: number, max: number): readonly LeavingObject[]
  /** It stays. */
  drop(id: number): void
}

// The columns are written here alone, from an object of that kind.
const objectOf = (row: Record<string, unknown>): RetiredObject =>
  row['kind'] === 'pack' ? { pack: String(row['name']) } : { chunk: String(row['name']) as Hash }

const leavingOf = (row: Record<string, unknown>): LeavingObject => ({
  id: Number(row['id']),
  object: objectOf(row),
  bytes: Number(row['bytes']),
})

export const openLeaving = (db: DatabaseSync): Leaving => {
  const add = db.prepare('INSERT INTO leaving (kind, name, bytes) VALUES (?, ?, ?)')
  const hold = db.prepare('INSERT INTO retiring VALUES (?, ?) ON CONFLICT DO NOTHING')
  const needed = db.prepare(`
    SELECT id, kind, name, bytes FROM leaving
    WHERE id > ? AND EXISTS (SELECT 1 FROM retiring JOIN live USING (hash) WHERE object = leaving.id) ORDER BY id LIMIT ?`)
  const chunks = db.prepare('SELECT hash FROM retiring JOIN live USING (hash) WHERE object = ?')
  // A BLOB of 32 bytes.
  const chunksOf = (id: number): readonly Hash[] =>
    chunks.all(id).map((row) => Buffer.from(row['hash'] as Uint8Array).toString('hex') as Hash)
  const list = db.prepare('SELECT id, kind, name, bytes FROM leaving WHERE id > ? ORDER BY id LIMIT ?')
  const drop = db.prepare('DELETE FROM leaving WHERE id = ?')
  return {
    add: (object, bytes, chunks) =>
      transaction(db, () => {
        const [kind, name] = 'pack' in object ? ['pack', object.pack] : ['chunk', object.chunk]
        const { lastInsertRowid } = add.run(kind, name, bytes)
        for (const hash of chunks) hold.run(Buffer.from(hash, 'hex'), lastInsertRowid)
      }),
    needed: (after, max) =>
      needed
        .all(after, max)
        .map(leavingOf)
        .map((each) => ({ ...each, chunks: chunksOf(each.id) })),
    list: (after, max) => list.all(after, max).map(leavingOf),
    drop: (id) => void drop.run(id),
  }
}
