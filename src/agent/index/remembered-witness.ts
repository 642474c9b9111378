import { openDatabase } from '../../lib/sqlite.ts'
import type { Receipt } from '../../protocol/messages.ts'

/** What an agent has seen of its folder's log. */
export interface RememberedWitness {
  readonly position: number
  readonly chain: string
  /** The latest that it was given. */
  readonly receipt: Receipt | undefined
}

/** Reads an index beside whoever writes it, and writes nothing; undefined where the agent has seen nothing yet. */
export const rememberedWitness = (file: string): RememberedWitness | undefined => {
  using db = openDatabase(file, { synchronous: 'NORMAL', readOnly: true })
  if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'receipt'").get() === undefined) return undefined
  // Both are written in one transaction.
  const row = db
    .prepare("SELECT (SELECT value FROM meta WHERE key = 'position') AS position, (SELECT value FROM meta WHERE key = 'chain') AS chain")
    .get()
  const [position, chain] = [row?.['position'], row?.['chain']]
  if (typeof position !== 'string' || typeof chain !== 'string' || Number(position) < 0) return undefined
  const receipt = db.prepare('SELECT receipt FROM receipt ORDER BY number DESC LIMIT 1').get()?.['receipt']
  // The agent wrote it from such a value, after it had checked it.
  return { position: Number(position), chain, receipt: receipt === undefined ? undefined : (JSON.parse(String(receipt)) as Receipt) }
}
