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
  /** Why the last agent stopped by itself, where it did. */
  readonly ended?: string
}

/** Reads an index beside whoever writes it, and writes nothing; undefined where an agent has only begun to make it. */
export const rememberedStatus = (file: string): RememberedStatus | undefined => {
  const db = openDatabase(file, { synchronous: 'NORMAL', readOnly: true })
  try {
    if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'held'").get() === undefined) return undefined
    const [ended] = texts(db, `SELECT value AS text FROM meta WHERE key = '${ENDED}'`)
    const held = texts(db, 'SELECT path AS text FROM held WHERE approved = 0 ORDER BY path')
    return {
      position: Number(texts(db, "SELECT value AS text FROM meta WHERE key = 'position'")[0] ?? -1),
      pending: Math.max(0, count(db, 'state = 1') - held.length),
      incoming: count(db, 'state > 1'),
      conflicts: texts(db, "SELECT path AS text FROM node WHERE local IS NOT NULL AND path LIKE '% (conflict %' ORDER BY path").filter(
        (path) => isConflictName(path.slice(path.lastIndexOf('/') + 1)),
      ),
      held,
      ...(ended === undefined ? {} : { ended }),
    }
  } finally {
    db.close()
  }
}

const ENDED = 'ended'

/** Why an agent stops by itself: for whoever asks afterwards. */
export const rememberEnd = (db: DatabaseSync, reason: string): void => {
  db.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)').run(ENDED, reason)
}

/** Another agent begins. */
export const forgetEnd = (db: DatabaseSync): void => {
  db.prepare('DELETE FROM meta WHERE key = ?').run(ENDED)
}

// Each statement selects one TEXT column named text.
const texts = (db: DatabaseSync, sql: string): string[] =>
  (db.prepare(sql).all() as unknown as { readonly text: string }[]).map(({ text }) => text)

// An aggregate without GROUP BY always has its one row.
const count = (db: DatabaseSync, where: string): number =>
  (db.prepare(`SELECT count(*) AS n FROM node WHERE ${where}`).get() as { n: number }).n
