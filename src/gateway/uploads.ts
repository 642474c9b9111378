import type { DatabaseSync } from 'node:sqlite'
import type { Chunk, Hash } from '../domain/content.ts'
import type { AccountId, AgentKey, FolderId } from '../domain/events.ts'
import { transaction } from '../lib/sqlite.ts'

/** How long an upload counts that no change has named yet. */
export const UPLOAD_KEPT_MS = 7 * 24 * 60 * 60 * 1000

/**
 * What the gateway knows of its clients beside the log: which chunks an account has shown that it has, before a change names them, and
 * up to where a plain client has been told. Losing it costs uploads and a longer Sync, nothing else.
 */
export interface UploadStore {
  /** The size of an uploaded chunk; undefined where the account uploaded none of this hash. */
  size(account: AccountId, hash: Hash): number | undefined
  add(account: AccountId, chunks: readonly Chunk[], time: number): void
  /** Forgets what is older than {@link UPLOAD_KEPT_MS}. */
  expire(now: number): void
  /** -1 where the client has been told nothing. */
  toldPosition(agent: AgentKey, folder: FolderId): number
  setTold(agent: AgentKey, folder: FolderId, position: number): void
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS uploaded (account TEXT NOT NULL, hash BLOB NOT NULL, size INTEGER NOT NULL, time INTEGER NOT NULL, PRIMARY KEY (account, hash)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS uploaded_by_time ON uploaded (time);
  CREATE TABLE IF NOT EXISTS told (agent TEXT NOT NULL, folder TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (agent, folder)) WITHOUT ROWID;
`

export const openUploads = (db: DatabaseSync): UploadStore => {
  db.exec(SCHEMA)
  const size = db.prepare('SELECT size FROM uploaded WHERE account = ? AND hash = ?')
  const add = db.prepare('INSERT INTO uploaded VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET time = excluded.time')
  const expire = db.prepare('DELETE FROM uploaded WHERE time < ?')
  const told = db.prepare('SELECT position FROM told WHERE agent = ? AND folder = ?')
  const setTold = db.prepare('INSERT INTO told VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET position = excluded.position')
  return {
    size: (account, hash) => {
      const known = size.get(account, Buffer.from(hash, 'hex'))?.['size']
      return known === undefined ? undefined : Number(known)
    },
    add: (account, chunks, time) =>
      transaction(db, () => {
        for (const chunk of chunks) add.run(account, Buffer.from(chunk.hash, 'hex'), chunk.size, Math.floor(time))
      }),
    expire: (now) => void expire.run(Math.floor(now) - UPLOAD_KEPT_MS),
    toldPosition: (agent, folder) => Number(told.get(agent, folder)?.['position'] ?? -1),
    setTold: (agent, folder, position) => void setTold.run(agent, folder, position),
  }
}
