import type { DatabaseSync } from 'node:sqlite'
import type { FolderId } from '../../domain/events.ts'
import { eventKey, fileKeys, lastKey, type FileKeys } from '../history/event-key.ts'
import type { HistoryEvent } from '../history/port.ts'
import { KINDS } from '../history/rows.ts'
import type { Facts } from './facts.ts'
import { numbering, type Numbers } from './numbering.ts'

type Row = NonNullable<Facts['history']>

interface PathRow {
  readonly folder: number
  readonly path: string
  readonly revision: number
  readonly live: 0 | 1
}

const pathsOf = (folder: number, { path, from, revision, content }: Row): PathRow[] => [
  ...(from === undefined ? [] : [{ folder, path: from, revision, live: 0 as const }]),
  ...(path === undefined ? [] : [{ folder, path, revision, live: content === undefined ? (0 as const) : (1 as const) }]),
]

const byPath = (a: PathRow, b: PathRow): number => a.folder - b.folder || Number(a.path > b.path) - Number(a.path < b.path)

/** What is known of a folder while one page is kept. */
interface FolderPart {
  readonly number: number
  readonly files: FileKeys
  /** The greatest time so far: moments never go back. */
  moment: number
}

/** Keeps the events of folders, and which paths they touched. Events that are kept already change nothing. */
export const historyKeeper = (db: DatabaseSync): ((facts: readonly Facts[]) => void) => {
  const [folders, types, senders] = [numbering(db, 'folders'), numbering(db, 'event_types'), senderNumbering(db)]
  const latest = db.prepare('SELECT id, moment FROM history WHERE id <= ? ORDER BY id DESC LIMIT 1')
  const insert = db.prepare('INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING')
  const path = db.prepare('INSERT INTO paths VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING')
  const partOf = (folder: FolderId, number: number): FolderPart => {
    const last = latest.get(lastKey(number, Infinity))
    const own = last !== undefined && Number(last['id']) >= eventKey(number, 0)
    return { number, files: fileKeys(folder, number), moment: own ? Number(last['moment']) : 0 }
  }
  return (facts) => {
    const [numberOf, typeOf, senderOf] = [folders(), types(), senders()]
    const parts = new Map<FolderId, FolderPart>()
    const touched: PathRow[] = []
    for (const { history: row } of facts) {
      if (row === undefined) continue
      const part = parts.get(row.folder) ?? partOf(row.folder, numberOf(row.folder))
      parts.set(row.folder, part)
      part.moment = Math.max(part.moment, row.time)
      insert.run(eventKey(part.number, row.revision), typeOf(row.type), senderOf(row), row.time, part.moment, ...fieldsOf(row, part.files))
      touched.push(...pathsOf(part.number, row))
    }
    // In their order, rows of one page are written one after the other.
    for (const { folder, path: name, revision, live } of touched.toSorted(byPath)) path.run(folder, name, revision, live)
  }
}

const fieldsOf = ({ clientTime, path, from, fileId, content, detail }: Row, files: FileKeys) => [
  clientTime ?? null,
  path ?? null,
  from ?? null,
  fileId === undefined ? null : files.keyOf(fileId),
  content === undefined ? null : KINDS.indexOf(content.kind),
  content === undefined ? null : Number(content.executable),
  content?.size ?? null,
  content === undefined ? null : Buffer.from(content.hash, 'hex'),
  content === undefined ? null : nanoseconds(content.modified),
  detail ?? null,
]

/** Digits that 64 bits hold for certain. */
const SURE_DIGITS = 18

const nanoseconds = (text: string): bigint | string => (text.length <= SURE_DIGITS ? BigInt(text) : long(text))

const long = (text: string): bigint | string => {
  const value = BigInt(text)
  return BigInt.asIntN(64, value) === value && String(value) === text ? value : text
}

/** A small number for each who sent something, and how that was proved. */
const senderNumbering = (db: DatabaseSync): (() => (row: HistoryEvent) => number) => {
  const find = db.prepare('SELECT id FROM senders WHERE sender = ?')
  const add = db.prepare('INSERT INTO senders (sender, account, agent, proof) VALUES (?, ?, ?, ?)')
  return () => {
    const known = new Map<string, number>()
    return ({ account, agent, proof }) => {
      const sender = `${proof}/${account ?? ''}/${agent ?? ''}`
      const id =
        known.get(sender) ?? Number(find.get(sender)?.['id'] ?? add.run(sender, account ?? null, agent ?? null, proof).lastInsertRowid)
      known.set(sender, id)
      return id
    }
  }
}

/** Keeps the names of folders, accounts and agents, the latest of each. */
export const namesKeeper = (db: DatabaseSync, folders: () => Numbers): ((facts: readonly Facts[]) => void) => {
  const folder = db.prepare('UPDATE folders SET account = ?, name = ? WHERE id = ?')
  const account = db.prepare('INSERT INTO accounts VALUES (?, ?) ON CONFLICT DO NOTHING')
  const agent = db.prepare('INSERT INTO agents VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET account = excluded.account, name = excluded.name')
  const renamed = db.prepare('UPDATE agents SET name = ? WHERE agent = ?')
  return (facts) => {
    const numberOf = folders()
    for (const { named } of facts) {
      if (named?.tag === 'folder') folder.run(named.account, named.name, numberOf(named.folder))
      if (named?.tag === 'account') account.run(named.account, named.email)
      if (named?.tag === 'agent') agent.run(named.agent, named.account, named.name)
      if (named?.tag === 'renamed') renamed.run(named.name, named.agent)
    }
  }
}
