import type { DatabaseSync } from 'node:sqlite'

/** Tables of names, and the column that holds them. */
const NAMES = { packs: 'name', folders: 'folder', event_types: 'type' } as const

export type Numbers = (name: string) => number

/** A small number for each name, made at first sight; what one use of it has found it asks for once. */
export const numbering = (db: DatabaseSync, table: keyof typeof NAMES): (() => Numbers) => {
  const find = db.prepare(`SELECT id FROM ${table} WHERE ${NAMES[table]} = ?`)
  const add = db.prepare(`INSERT INTO ${table} (${NAMES[table]}) VALUES (?)`)
  return () => {
    const known = new Map<string, number>()
    return (name) => {
      const id = known.get(name) ?? Number(find.get(name)?.['id'] ?? add.run(name).lastInsertRowid)
      known.set(name, id)
      return id
    }
  }
}
