import type { DatabaseSync } from 'node:sqlite'
import type { Hash } from '../../domain/content.ts'
import type { LogPosition } from '../../eventlog/port.ts'
import { transaction } from '../../lib/sqlite.ts'
import type { Facts, HistoryRow } from './facts.ts'
import { emptyFollow, migrateFollow } from './schema.ts'

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

/** Opens the tables for writing, and makes them where there are none. */
export const openFollowTables = (db: DatabaseSync): FollowTables => {
  migrateFollow(db)
  const keepOne = keeper(db)
  const checkpoint = db.prepare('SELECT position_order, token, chain FROM follow_checkpoint')
  const forget = db.prepare('DELETE FROM follow_checkpoint')
  const insert = db.prepare('INSERT INTO follow_checkpoint VALUES (?, ?, ?)')
  return {
    checkpoint: () => {
      const row = checkpoint.get()
      if (row === undefined) return undefined
      return { position: { order: BigInt(String(row['position_order'])), token: String(row['token']) }, chain: String(row['chain']) }
    },
    keep: (facts, at) =>
      transaction(db, () => {
        facts.forEach(keepOne)
        if (at === undefined) return
        forget.run()
        insert.run(String(at.position.order), at.position.token, at.chain)
      }),
    empty: () => emptyFollow(db),
  }
}

const keeper = (db: DatabaseSync): ((facts: Facts) => void) => {
  const numberOfPack = numbering(db, 'packs', 'name')
  const numberOfFolder = numbering(db, 'folders', 'folder')
  const chunk = db.prepare(
    'INSERT INTO chunks VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET pack = excluded.pack, offset = excluded.offset, size = excluded.size',
  )
  const named = db.prepare('INSERT INTO folder_chunks VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
  const history = db.prepare('INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING')
  const position = db.prepare(
    'INSERT INTO positions VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET position = excluded.position, chain = excluded.chain',
  )
  const keepRow = ({ folder, path, revision, fileId, type, kind, hash, agent }: HistoryRow): void =>
    void history.run(
      numberOfFolder(folder),
      path,
      revision,
      fileId,
      type,
      kind ?? null,
      hash === undefined ? null : bytesOf(hash),
      agent ?? null,
    )
  return (facts) => {
    if (facts.pack !== undefined) {
      const pack = numberOfPack(facts.pack.pack)
      for (const { hash, offset, size } of facts.pack.entries) chunk.run(bytesOf(hash), pack, offset, size)
    }
    facts.history.forEach(keepRow)
    if (facts.chunks !== undefined) {
      const folder = numberOfFolder(facts.chunks.folder)
      for (const { hash, size } of facts.chunks.named) named.run(folder, bytesOf(hash), size)
    }
    if (facts.position !== undefined)
      position.run(facts.position.agent, facts.position.folder, facts.position.position, facts.position.chain)
  }
}

/** A small number for each name, made at first sight. */
const numbering = (db: DatabaseSync, table: 'packs' | 'folders', column: 'name' | 'folder'): ((name: string) => number) => {
  const find = db.prepare(`SELECT id FROM ${table} WHERE ${column} = ?`)
  const add = db.prepare(`INSERT INTO ${table} (${column}) VALUES (?)`)
  return (name) => {
    const id = find.get(name)?.['id']
    return Number(id ?? add.run(name).lastInsertRowid)
  }
}
