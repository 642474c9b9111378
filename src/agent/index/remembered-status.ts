import type { DatabaseSync } from 'node:sqlite'
import { isConflictName } from '../../domain/conflict-name.ts'
import { openDatabase } from '../../lib/sqlite.ts'

/** What the index of a folder says while no agent runs: how things were when the last one stopped. */
export interface RememberedStatus {
  readonly position: number
  readonly pending: number
  readonly incoming: number
  readonly conflicts: readonly string[]
  readonly held: readonly string[]
}

/** Reads an index beside whoever writes it, and writes nothing; undefined where an agent has only begun to make it. */
export const rememberedStatus = (file: string): RememberedStatus | undefined => {
  const db = openDatabase(file, { synchronous: 'NORMAL', readOnly: true })
  try {
    if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'held'").get() === undefined) return undefined
    const held = texts(db, 'SELECT path AS text FROM held WHERE approved = 0 ORDER BY path')
    return {
      position: Number(texts(db, "SELECT value AS text FROM meta WHERE key = 'position'")[0] ?? -1),
      pending: Math.max(0, count(db, 'state = 1') - held.length),
      incoming: count(db, 'state > 1'),
      conflicts: texts(db, "SELECT path AS text FROM node WHERE local IS NOT NULL AND path LIKE '% (conflict %' ORDER BY path").filter(
        (path) => isConflictName(path.slice(path.lastIndexOf('/') + 1)),
      ),
      held,
    }
  } finally {
    db.close()
  }
}

// Each statement selects one TEXT column named text.
const texts = (db: DatabaseSync, sql: string): string[] =>
  (db.prepare(sql).all() as unknown as { readonly text: string }[]).map(({ text }) => text)

// An aggregate without GROUP BY always has its one row.
const count = (db: DatabaseSync, where: string): number =>
  (db.prepare(`SELECT count(*) AS n FROM node WHERE ${where}`).get() as { n: number }).n
