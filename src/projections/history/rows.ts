import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Hash, Kind } from '../../domain/content.ts'
import type { AccountId, AgentKey, FolderId } from '../../domain/events.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { Proof } from '../../protocol/event-metadata.ts'
import { fileKeys, revisionOf } from './event-key.ts'
import type { HistoryEntry, HistoryEvent } from './port.ts'

/** As `history.kind` has them. */
export const KINDS: readonly Kind[] = ['file', 'directory', 'symlink']

/** The columns of {@link EVENT}. */
type Row = [
  id: number,
  type: HistoryEvent['type'],
  time: number,
  clientTime: number | null,
  account: AccountId | null,
  agent: AgentKey | null,
  proof: Proof,
  path: SyncPath | null,
  from: SyncPath | null,
  file: number | string | null,
  kind: number | null,
  executable: number | null,
  size: number | null,
  hash: Uint8Array | null,
  modified: string | null,
  detail: string | null,
]

/** What a query names to read events from `history` as `h`; the small tables come last, whatever SQLite thinks of it. */
export const EVENT =
  'h.id, t.type, h.time, h.client_time, s.account, s.agent, s.proof, h.path, h.moved_from, h.file, h.kind, h.executable, h.size, h.hash, CAST(h.modified AS TEXT), h.detail'
export const NAMED = 'CROSS JOIN event_types t ON t.id = h.type CROSS JOIN senders s ON s.id = h.sender'

export type ReadRow = (row: unknown) => HistoryEvent

/** Rows of one folder as events. */
export const eventReader = (folder: FolderId, number: number): ReadRow => {
  const files = fileKeys(folder, number)
  return (row) => {
    // The columns that EVENT names, of what `write-history.ts` wrote.
    const [id, type, time, clientTime, account, agent, proof, path, from, file, kind, executable, size, hash, modified, detail] = row as Row
    return {
      revision: revisionOf(id),
      type,
      time,
      clientTime: clientTime ?? undefined,
      account: account ?? undefined,
      agent: agent ?? undefined,
      proof,
      path: path ?? undefined,
      from: from ?? undefined,
      fileId: file === null ? undefined : files.idOf(file),
      content:
        kind === null || hash === null
          ? undefined
          : {
              kind: KINDS[kind] ?? 'file',
              size: size ?? 0,
              // Hex of 32 bytes is a Hash.
              hash: Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('hex') as Hash,
              executable: executable === 1,
              modified: modified ?? '0',
            },
      detail: detail ?? undefined,
    }
  }
}

/** An event after which its path holds something. */
export const isEntry = (event: HistoryEvent | undefined): event is HistoryEntry => event?.content !== undefined

/** Rows as arrays: twice as quick to read as objects. */
export const prepared = (db: DatabaseSync, sql: string): StatementSync => {
  const statement = db.prepare(sql)
  statement.setReturnArrays(true)
  return statement
}

/** Statements by their text, each prepared once. */
export const statements = (db: DatabaseSync): ((sql: string) => StatementSync) => {
  const known = new Map<string, StatementSync>()
  return (sql) => {
    const statement = known.get(sql) ?? prepared(db, sql)
    known.set(sql, statement)
    return statement
  }
}
