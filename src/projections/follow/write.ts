import type { DatabaseSync } from 'node:sqlite'
import type { Hash } from '../../domain/content.ts'
import type { LogPosition } from '../../eventlog/port.ts'
import { transaction } from '../../lib/sqlite.ts'
import type { Facts } from './facts.ts'
import { numbering } from './numbering.ts'
import { openRetiredTables } from './retired.ts'
import { emptyFollow, migrateFollow } from './schema.ts'
import { historyKeeper, namesKeeper } from './write-history.ts'

/** An event up to which the tables are complete; its chain tells it from another log's. */
export interface FollowCheckpoint {
  readonly position: LogPosition
  readonly chain: string
}

/** The tables as their one writer sees them. */
export interface FollowTables {
  readonly checkpoint: () => FollowCheckpoint | undefined
  /** Keeps the facts and the checkpoint up to which they are complete, in one transaction. Facts that are kept already change nothing. */
  readonly keep: (facts: readonly Facts[], checkpoint: FollowCheckpoint | undefined) => void
  readonly empty: () => void
}

export const bytesOf = (hash: Hash): Buffer => Buffer.from(hash, 'hex')

/** Up to where the tables are complete, on any connection to a database that has them. */
export const checkpointReader = (db: DatabaseSync): (() => FollowCheckpoint | undefined) => {
  const checkpoint = db.prepare('SELECT position_order, token, chain FROM follow_checkpoint')
  return () => {
    const row = checkpoint.get()
    if (row === undefined) return undefined
    return { position: { order: BigInt(String(row['position_order'])), token: String(row['token']) }, chain: String(row['chain']) }
  }
}

/** Opens the tables for writing, and makes them where there are none. */
export const openFollowTables = (db: DatabaseSync): FollowTables => {
  migrateFollow(db)
  const keepers = [chunkKeeper(db), historyKeeper(db), namesKeeper(db, numbering(db, 'folders')), positionKeeper(db)]
  const forget = db.prepare('DELETE FROM follow_checkpoint')
  const insert = db.prepare('INSERT INTO follow_checkpoint VALUES (?, ?, ?)')
  return {
    checkpoint: checkpointReader(db),
    keep: (facts, at) =>
      transaction(db, () => {
        for (const keep of keepers) keep(facts)
        if (at === undefined) return
        forget.run()
        insert.run(String(at.position.order), at.position.token, at.chain)
      }),
    empty: () => emptyFollow(db),
  }
}

const byHash = (a: { readonly hash: Hash }, b: { readonly hash: Hash }): number => Number(a.hash > b.hash) - Number(a.hash < b.hash)

/** Hashes lie anywhere in their tables: in their order, rows of one page are written one after the other. */
const chunkKeeper = (db: DatabaseSync): ((facts: readonly Facts[]) => void) => {
  const packs = numbering(db, 'packs')
  const folders = numbering(db, 'folders')
  const chunk = db.prepare(
    'INSERT INTO chunks VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET pack = excluded.pack, offset = excluded.offset, size = excluded.size',
  )
  const named = db.prepare('INSERT INTO folder_chunks VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
  const retired = openRetiredTables(db)
  const keepPlaces = (facts: readonly Facts[]): void => {
    const numberOfPack = packs()
    const places = facts.flatMap(({ pack }) => {
      const id = pack === undefined ? 0 : numberOfPack(pack.pack)
      return (pack?.entries ?? []).map(({ hash, offset, size }) => ({ id, hash, offset, size }))
    })
    // A sort keeps the order of equals: the last place of a chunk stays the one that counts.
    for (const { hash, id, offset, size } of places.toSorted(byHash)) chunk.run(bytesOf(hash), id, offset, size)
    retired.stored(facts.flatMap(({ pack }) => pack?.entries ?? []))
  }
  return (facts) => {
    let from = 0
    // What was stored before it was retired, and what after, keep their order.
    facts.forEach(({ retention }, at) => {
      if (retention === undefined) return
      keepPlaces(facts.slice(from, at))
      retired.keep(retention)
      from = at
    })
    keepPlaces(facts.slice(from))
    const numberOfFolder = folders()
    const names = facts.flatMap(({ chunks }) => {
      const id = chunks === undefined ? 0 : numberOfFolder(chunks.folder)
      return (chunks?.named ?? []).map(({ hash, size }) => ({ id, hash, size }))
    })
    for (const { hash, id, size } of names.toSorted(byHash)) named.run(id, bytesOf(hash), size)
  }
}

/** Keeps what agents have told that they had seen. */
const positionKeeper = (db: DatabaseSync): ((facts: readonly Facts[]) => void) => {
  const position = db.prepare(
    'INSERT INTO positions VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET position = excluded.position, chain = excluded.chain',
  )
  return (facts) => {
    for (const { position: told } of facts) if (told !== undefined) position.run(told.agent, told.folder, told.position, told.chain)
  }
}
