import type { DatabaseSync } from 'node:sqlite'
import type { Hash } from '../../domain/content.ts'

/** All packs that the log tells of, those included of which nothing is left. */
export function* packNames(db: DatabaseSync): Generator<string> {
  for (const row of db.prepare('SELECT name FROM packs').iterate()) yield String(row['name'])
}

/** Where each chunk lies that lies in a pack, in no special order. */
export function* packedChunks(db: DatabaseSync): Generator<{ readonly pack: string; readonly hash: Hash; readonly size: number }> {
  for (const row of db.prepare('SELECT name, hash, size FROM chunks JOIN packs ON packs.id = pack').iterate())
    // A BLOB of 32 bytes.
    yield { pack: String(row['name']), hash: Buffer.from(row['hash'] as Uint8Array).toString('hex') as Hash, size: Number(row['size']) }
}
