import type { Hash } from '../../domain/content.ts'
import { nameOf, type SyncPath } from '../../domain/path.ts'
import { UNKNOWN_REVISION } from '../../domain/plan/trees.ts'
import { IGNORE_FILE } from '../ignore-rules.ts'
import type { StoredLocal } from './codec.ts'
import { endOf, LOCAL_OPEN, type Node, REMOTE_OPEN } from './node.ts'
import { NodeTable } from './node-table.ts'
import { MAYBE_CONFLICT, MAYBE_RULES } from './schema.ts'

/** A place in a local file where a chunk's bytes lie, as far as the index knows; verified when read. */
export interface Place {
  readonly path: SyncPath
  readonly offset: number
}

/**
 * The three trees of one folder, in one table: here, what is asked of many paths. Synchronous, one writer; each call that writes is its own transaction unless
 * it runs inside `atomically`. It is the tables' only writer, so what it has read or written last it need not read again; that, a few values and prepared
 * statements are all that is held in memory (I16).
 */
export class FolderIndex extends NodeTable {
  /** Nodes at which there is something to plan, after a path, in path order. */
  open(after: string, limit: number): Node[] {
    return this.nodesOf(
      this.statement('SELECT path, local, base, remote, state FROM node WHERE state > 0 AND path > ? ORDER BY path LIMIT ?').all(
        after,
        limit,
      ),
    )
  }

  /** How many paths wait: to be sent (1), to be received (2). */
  counts(): { readonly outgoing: number; readonly incoming: number } {
    const sql = `SELECT count(*) FILTER (WHERE state = ${LOCAL_OPEN}) AS outgoing, count(*) FILTER (WHERE state & ${REMOTE_OPEN}) AS incoming FROM node WHERE state > 0`
    // An aggregate without GROUP BY always has its one row.
    return this.statement(sql).get() as { outgoing: number; incoming: number }
  }

  /** Local paths whose names may be those of conflict copies. */
  maybeConflictCopies(): SyncPath[] {
    return this.#paths(`SELECT path FROM node WHERE ${MAYBE_CONFLICT} AND local IS NOT NULL ORDER BY path`)
  }

  /** What the disk held directly inside a directory, by path, as it is stored: a scan decodes only what has changed. */
  locals(directory: SyncPath | ''): Map<SyncPath, StoredLocal> {
    const rows = this.statement('SELECT path, local FROM node WHERE parent = ? AND local IS NOT NULL').all(directory)
    // Two columns; every local was written by encodeLocal.
    return new Map((rows as unknown as { readonly path: SyncPath; readonly local: StoredLocal }[]).map(({ path, local }) => [path, local]))
  }

  /** All nodes below a directory, after a path, in path order. */
  below(directory: SyncPath, after: string, limit: number): Node[] {
    const start = after > `${directory}/` ? after : `${directory}/`
    return this.nodesOf(
      this.statement('SELECT path, local, base, remote, state FROM node WHERE path > ? AND path < ? ORDER BY path LIMIT ?').all(
        start,
        endOf(directory),
        limit,
      ),
    )
  }

  /** Ignore files that any of the trees knows of. */
  ignoreFiles(): SyncPath[] {
    return this.#paths(`SELECT path FROM node WHERE ${MAYBE_RULES}`).filter((path) => nameOf(path) === IGNORE_FILE)
  }

  #paths(sql: string, ...values: readonly (string | number)[]): SyncPath[] {
    // One column, written from validated paths.
    return (this.statement(sql).all(...values) as unknown as { readonly path: SyncPath }[]).map(({ path }) => path)
  }

  /** Whether anything below a directory has vanished from the disk and is as it was in the log: deletions that it does not know yet. */
  vanishedBelow(directory: SyncPath): boolean {
    const sql = 'SELECT 1 FROM node WHERE path > ? AND path < ? AND state = 1 AND local IS NULL AND base IS NOT NULL LIMIT 1'
    return this.statement(sql).get(`${directory}/`, endOf(directory)) !== undefined
  }

  /** Whether anything local lies below a directory that is not just what the log has deleted. */
  staysBelow(directory: SyncPath): boolean {
    const sql = `SELECT 1 FROM node WHERE path > ? AND path < ? AND local IS NOT NULL
      AND (state & ${LOCAL_OPEN} OR (remote IS NOT NULL AND json_extract(remote, '$[1]') IS NOT NULL)) LIMIT 1`
    return this.statement(sql).get(`${directory}/`, endOf(directory)) !== undefined
  }

  /** Some files below a directory that differ from a base which the log has deleted: versions since base, or edits, as the gateway will say. */
  askedBelow(directory: SyncPath): SyncPath[] {
    const sql = `SELECT path FROM node WHERE path > ? AND path < ? AND state = 3 AND json_extract(local, '$[3]') IS NULL
      AND json_extract(base, '$[0]') > ${UNKNOWN_REVISION} AND remote IS NOT NULL AND json_extract(remote, '$[1]') IS NULL LIMIT 100`
    return this.#paths(sql, `${directory}/`, endOf(directory))
  }

  /** Local files whose whole content has this hash. */
  filesWith(hash: Hash, limit: number): Node[] {
    return this.nodesOf(this.statement('SELECT path, local, base, remote, state FROM node WHERE hash = ? LIMIT ?').all(hash, limit))
  }

  /** Which of these hashes are those of local files' whole contents. */
  hashesAmong(hashes: readonly Hash[]): ReadonlySet<Hash> {
    const sql = 'SELECT DISTINCT hash FROM node WHERE hash IN (SELECT value FROM json_each(?))'
    // One column, of hashes.
    const rows = this.statement(sql).all(JSON.stringify(hashes)) as unknown as { readonly hash: Hash }[]
    return new Set(rows.map(({ hash }) => hash))
  }

  /** Local nodes of an inode: a scan of the whole table, for rare questions. */
  localsWithInode(inode: string): Node[] {
    return this.nodesOf(
      this.statement("SELECT path, local, base, remote, state FROM node WHERE json_extract(local, '$[0][4]') = ?").all(inode),
    )
  }

  /** Paths whose version in the log has this content, while the disk does not hold it there yet. */
  wantedAt(hash: Hash, limit: number): SyncPath[] {
    return this.#paths('SELECT path FROM node WHERE want_hash = ? LIMIT ?', hash, limit)
  }

  /** Where a chunk's bytes lie in local files. */
  placesOf(hash: Hash, limit: number): Place[] {
    const sql = 'SELECT path, offset FROM piece WHERE hash = ?1 UNION ALL SELECT path, 0 FROM node WHERE hash = ?1 LIMIT ?2'
    // Paths were validated when written.
    return this.statement(sql).all(hash, limit) as unknown as Place[]
  }

  /** Nodes that vanished from the disk while their base had this content: a new path with the same content is a move of one of them. */
  vanishedWith(hash: Hash, limit: number): Node[] {
    return this.nodesOf(
      this.statement('SELECT path, local, base, remote, state FROM node WHERE local IS NULL AND base_hash = ? LIMIT ?').all(hash, limit),
    )
  }

  /** How many files that hold anything are in sync here. */
  countSynced(): number {
    return (this.statement('SELECT count(*) AS n FROM node WHERE base_hash IS NOT NULL').get() as { n: number }).n
  }

  /** Whether a version that was in sync here has these bytes, and the disk holds them still or has just lost them: the log has them, then. */
  knowsBytes(hash: Hash): boolean {
    const sql = `SELECT EXISTS (SELECT 1 FROM (SELECT base_hash FROM node WHERE hash = ?1 LIMIT 8) WHERE base_hash = ?1)
      OR EXISTS (SELECT 1 FROM node WHERE local IS NULL AND base_hash = ?1) AS known`
    return this.statement(sql).get(hash)?.['known'] === 1
  }

  /** Whether any file is gone from the disk that was in sync here. */
  anyVanished(): boolean {
    return this.statement('SELECT 1 FROM node WHERE local IS NULL AND base_hash IS NOT NULL LIMIT 1').get() !== undefined
  }
}
