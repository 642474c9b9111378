import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'

/** A table's rows in an order of their own, with names where the table has numbers that stand for them: two folds of one log may number differently. */
interface Comparable {
  readonly table: string
  readonly rows: string
}

/** Of `state/schema.ts`. */
export const STATE_TABLES: readonly Comparable[] = [
  { table: 'heads', rows: 'SELECT stream, revision, chain, signed FROM heads ORDER BY stream' },
  { table: 'folders', rows: 'SELECT folder, account, name FROM folders ORDER BY folder' },
  {
    table: 'tree',
    rows: `SELECT folders.folder, path, revision, file_id, content, moved_to
      FROM folders CROSS JOIN tree ON tree.folder = folders.id ORDER BY folders.folder, path`,
  },
  { table: 'accounts', rows: 'SELECT account, email, verifier FROM accounts ORDER BY account' },
  { table: 'agents', rows: 'SELECT key, account, name, public_key, registered, revoked FROM agents ORDER BY key' },
  {
    table: 'messages',
    rows: `SELECT agent, folder, epoch, latest, number, root, position, outcomes
      FROM senders CROSS JOIN messages ON sender = senders.id ORDER BY agent, folder, epoch, number`,
  },
]

/** Of `follow/schema.ts`. */
export const FOLLOW_TABLES: readonly Comparable[] = [
  { table: 'packs', rows: 'SELECT name FROM packs ORDER BY name' },
  { table: 'chunks', rows: 'SELECT hash, packs.name, offset, size FROM chunks CROSS JOIN packs ON packs.id = pack ORDER BY hash' },
  { table: 'gone', rows: 'SELECT hash, time FROM gone ORDER BY hash' },
  { table: 'retired', rows: 'SELECT object, removed FROM retired ORDER BY object' },
  { table: 'folders', rows: 'SELECT folder, account, name FROM folders ORDER BY folder' },
  {
    table: 'folder_chunks',
    rows: `SELECT folders.folder, hash, size
      FROM folders CROSS JOIN folder_chunks ON folder_chunks.folder = folders.id ORDER BY folders.folder, hash`,
  },
  {
    table: 'history',
    rows: `SELECT history.id, event_types.type, senders.sender, senders.account, senders.agent, proof, time, moment, client_time, path, moved_from, file, kind,
        executable, size, hash, modified, detail
      FROM history CROSS JOIN event_types ON event_types.id = history.type CROSS JOIN senders ON senders.id = history.sender ORDER BY history.id`,
  },
  {
    table: 'paths',
    rows: `SELECT folders.folder, path, revision, live
      FROM folders CROSS JOIN paths ON paths.folder = folders.id ORDER BY folders.folder, path, revision`,
  },
  { table: 'positions', rows: 'SELECT agent, folder, position, chain FROM positions ORDER BY agent, folder' },
  { table: 'accounts', rows: 'SELECT account, email FROM accounts ORDER BY account' },
  { table: 'agents', rows: 'SELECT agent, account, name FROM agents ORDER BY agent' },
]

/** The first row in which two folds of one log differ; undefined where one of them has none there. */
export interface Difference {
  readonly table: string
  /** From 1, in the table's own order. */
  readonly row: number
  readonly live: string | undefined
  readonly replayed: string | undefined
}

export interface Compared {
  /** Rows that were compared, by table. */
  readonly rows: Readonly<Record<string, number>>
  /** At most one a table. */
  readonly differences: readonly Difference[]
}

/** Compares the tables row by row, as each connection sees them. */
export const compareTables = (live: DatabaseSync, replayed: DatabaseSync, tables: readonly Comparable[]): Compared => {
  const rows: Record<string, number> = {}
  const differences: Difference[] = []
  for (const { table, rows: query } of tables) {
    const found = compareRows(table, rowsOf(live, query), rowsOf(replayed, query))
    rows[table] = found.rows
    if (found.difference !== undefined) differences.push(found.difference)
  }
  return { rows, differences }
}

type Row = readonly SQLOutputValue[]

function* rowsOf(db: DatabaseSync, query: string): Generator<Row, undefined> {
  const statement = db.prepare(query)
  statement.setReadBigInts(true)
  statement.setReturnArrays(true)
  // Arrays, as the statement was told.
  for (const row of statement.iterate()) yield row as unknown as Row
  return undefined
}

const compareRows = (
  table: string,
  live: Iterator<Row, undefined>,
  replayed: Iterator<Row, undefined>,
): { readonly rows: number; readonly difference?: Difference } => {
  for (let row = 1; ; row += 1) {
    const [one, other] = [live.next().value, replayed.next().value]
    if (one === undefined && other === undefined) return { rows: row - 1 }
    if (one !== undefined && other !== undefined && same(one, other)) continue
    live.return?.()
    replayed.return?.()
    return { rows: row, difference: { table, row, live: one && textOf(one), replayed: other && textOf(other) } }
  }
}

const same = (a: Row, b: Row): boolean => a.every((value, at) => sameValue(value, b[at]))

const sameValue = (a: SQLOutputValue, b: SQLOutputValue | undefined): boolean => {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0
  return a === b
}

const textOf = (row: Row): string =>
  row.map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value))).join(' | ')
