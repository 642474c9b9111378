import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { type Chunk, type Hash, sameBytes } from '../../domain/content.ts'
import { nameOf, parentOf, type SyncPath } from '../../domain/path.ts'
import { type BaseState, UNKNOWN_REVISION } from '../../domain/plan/trees.ts'
import { createLru } from '../../lib/lru.ts'
import { transaction } from '../../lib/sqlite.ts'
import type { RemoteEntry } from '../../protocol/messages.ts'
import { IGNORE_FILE } from '../ignore-rules.ts'
import type { StoredLocal } from './codec.ts'
import { changedBetween, keysOf, textsOf, weightOf } from './columns.ts'
import {
  asRow,
  asRows,
  endOf,
  type Entry,
  type IsIgnored,
  isNothing,
  isUnknown,
  LOCAL_OPEN,
  type LocalNode,
  mayHavePieces,
  type Node,
  nowhere,
  onItsWay,
  REMOTE_OPEN,
  type Row,
  stateOf,
  toEntry,
} from './node.ts'
import { MAYBE_CONFLICT, MAYBE_RULES, prepareSchema } from './schema.ts'

/** Nodes that are kept decoded: as many as are under way at once, so that each is read once on its way through the engine (I16). */
const KEPT = 8_192

/** A place in a local file where a chunk's bytes lie, as far as the index knows; verified when read. */
export interface Place {
  readonly path: SyncPath
  readonly offset: number
}

/**
 * The three trees of one folder, in one table. Synchronous, one writer; each call that writes is its own transaction unless it runs inside
 * `atomically`. It is the tables' only writer, so what it has read or written last it need not read again; that, a few values and prepared statements
 * are all that is held in memory (I16).
 */
export class FolderIndex {
  readonly #db: DatabaseSync
  readonly #isIgnored: IsIgnored
  readonly #synchronous: number
  readonly #statements = new Map<string, StatementSync>()
  readonly #kept = createLru<SyncPath, Entry>(KEPT, weightOf)
  readonly #meta = new Map<string, string>()

  constructor(db: DatabaseSync, isIgnored: IsIgnored) {
    prepareSchema(db)
    this.#db = db
    this.#isIgnored = isIgnored
    this.#synchronous = Number(db.prepare('PRAGMA synchronous').get()?.['synchronous'])
  }

  /** Runs several writes as one transaction. */
  atomically<T>(work: () => T): T {
    if (this.#db.isTransaction) return work()
    try {
      return transaction(this.#db, work)
    } catch (error) {
      // It was rolled back, and what is remembered may be of it.
      this.#kept.clear()
      this.#meta.clear()
      throw error
    }
  }

  /**
   * As `atomically`, for what the disk or the gateway tells anew: a power cut may take it, and such transactions after it, until the next one
   * of `atomically`, which makes all before it durable. So what was noted is durable before a message, a grave or a base speaks of it.
   */
  note<T>(work: () => T): T {
    if (this.#db.isTransaction) return work()
    this.#db.exec('PRAGMA synchronous = NORMAL')
    try {
      return this.atomically(work)
    } finally {
      this.#db.exec(`PRAGMA synchronous = ${this.#synchronous}`)
    }
  }

  statement(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const made = this.#db.prepare(sql)
    this.#statements.set(sql, made)
    return made
  }

  get(path: SyncPath): Node {
    return this.#entry(path).node
  }

  #entry(path: SyncPath): Entry {
    const kept = this.#kept.get(path)
    if (kept !== undefined) return kept
    const row = asRow(this.statement('SELECT path, local, base, remote, state FROM node WHERE path = ?').get(path))
    const entry = row === undefined ? { node: { path, local: undefined, base: undefined, remote: undefined }, state: 0 } : toEntry(row)
    this.#kept.set(path, entry)
    return entry
  }

  #nodeOf(row: Row): Node {
    return (this.#kept.get(row.path) ?? toEntry(row)).node
  }

  /** Nodes at which there is something to plan, after a path, in path order. */
  open(after: string, limit: number): Node[] {
    return asRows(
      this.statement('SELECT path, local, base, remote, state FROM node WHERE state > 0 AND path > ? ORDER BY path LIMIT ?').all(
        after,
        limit,
      ),
    ).map((row) => this.#nodeOf(row))
  }

  /** How many paths wait: to be sent (1), to be received (2). */
  counts(): { readonly outgoing: number; readonly incoming: number } {
    const sql = `SELECT count(*) FILTER (WHERE state = ${LOCAL_OPEN}) AS outgoing, count(*) FILTER (WHERE state & ${REMOTE_OPEN}) AS incoming FROM node WHERE state > 0`
    // An aggregate without GROUP BY always has its one row.
    return this.statement(sql).get() as { outgoing: number; incoming: number }
  }

  /** The two bits of what is open at a path: 1, the disk differs from base; 2, the log does. */
  stateAt(path: SyncPath): number {
    return this.#entry(path).state
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
    return asRows(
      this.statement('SELECT path, local, base, remote, state FROM node WHERE path > ? AND path < ? ORDER BY path LIMIT ?').all(
        start,
        endOf(directory),
        limit,
      ),
    ).map((row) => this.#nodeOf(row))
  }

  /** Ignore files that any of the trees knows of. */
  ignoreFiles(): SyncPath[] {
    return this.#paths(`SELECT path FROM node WHERE ${MAYBE_RULES}`).filter((path) => nameOf(path) === IGNORE_FILE)
  }

  #paths(sql: string): SyncPath[] {
    // One column, written from validated paths.
    return (this.statement(sql).all() as unknown as { readonly path: SyncPath }[]).map(({ path }) => path)
  }

  /** Writes every node below a directory again: what the ignore rules say of it has changed. */
  refresh(directory: SyncPath | ''): void {
    const [start, end] = directory === '' ? ['', '\u{10FFFF}'] : [`${directory}/`, endOf(directory)]
    const page = 'SELECT path, local, base, remote, state FROM node WHERE path > ? AND path < ? ORDER BY path LIMIT 1000'
    for (let rows = asRows(this.statement(page).all(start, end)); rows.length > 0;) {
      this.atomically(() => {
        for (const row of rows) this.put(this.#nodeOf(row))
      })
      rows = asRows(this.statement(page).all(rows.at(-1)?.path ?? end, end))
    }
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
    // One column, written from validated paths.
    return (this.statement(sql).all(`${directory}/`, endOf(directory)) as unknown as { readonly path: SyncPath }[]).map(({ path }) => path)
  }

  /**
   * After a power cut: what was noted of the disk and is not in sync may be there no more, in part, or again. Until it is looked at, it counts as what was last
   * in sync, which is durable (I17), with a stat that nothing on a disk has.
   */
  distrust(): void {
    const page = `SELECT path, local, base, remote, state FROM node WHERE state & ${LOCAL_OPEN} AND path > ? ORDER BY path LIMIT 1000`
    for (let nodes = this.#nodes(page, ''); nodes.length > 0; nodes = this.#nodes(page, nodes.at(-1)?.path ?? '')) {
      this.atomically(() => {
        for (const { path, base } of nodes)
          this.setLocal(path, base === undefined ? undefined : { content: base.content, seen: nowhere(base.content), settled: false })
      })
    }
  }

  #nodes(sql: string, after: string): Node[] {
    return asRows(this.statement(sql).all(after)).map((row) => this.#nodeOf(row))
  }

  /** Writes a whole node. */
  put(node: Node): void {
    if (isNothing(node)) return this.#remove(node.path)
    const state = stateOf(node, this.#isIgnored)
    this.statement(
      'INSERT OR REPLACE INTO node (path, parent, local, base, remote, hash, base_hash, want_hash, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    ).run(node.path, parentOf(node.path) ?? '', ...Object.values(textsOf(node)), ...Object.values(keysOf(node, state)))
    this.#kept.set(node.path, { node, state })
  }

  #remove(path: SyncPath): void {
    this.statement('DELETE FROM node WHERE path = ?').run(path)
    this.#kept.delete(path)
  }

  /** Writes parts of a node: other columns, and the indexes that they do not concern, stay as they are. */
  #change(path: SyncPath, parts: Partial<Omit<Node, 'path'>>): void {
    const before = this.#entry(path)
    const node = { ...before.node, ...parts }
    if (isNothing(node)) return this.#remove(path)
    if (isUnknown(before.node)) return this.put(node)
    const entry = { node, state: stateOf(node, this.#isIgnored) }
    const changed = changedBetween(before, entry)
    const names = Object.keys(changed)
    if (names.length > 0)
      this.statement(`UPDATE node SET ${names.map((name) => `${name} = ?`).join(', ')} WHERE path = ?`).run(...Object.values(changed), path)
    this.#kept.set(path, entry)
  }

  /** Records what the disk holds (undefined: nothing), with the chunks of a file that has several. */
  setLocal(path: SyncPath, local: LocalNode | undefined, chunks: readonly Chunk[] = []): void {
    const node = this.get(path)
    const rehashed = local === undefined || node.local === undefined || !sameBytes(node.local.content, local.content)
    this.#change(path, { local })
    if (!rehashed) return
    if (mayHavePieces(node.local)) this.statement('DELETE FROM piece WHERE path = ?').run(path)
    if (chunks.length < 2) return
    let offset = 0
    for (const chunk of chunks) {
      this.statement('INSERT INTO piece (path, offset, size, hash) VALUES (?, ?, ?, ?)').run(path, offset, chunk.size, chunk.hash)
      offset += chunk.size
    }
  }

  /** Records what was put where nothing was, and that it is in sync. */
  setInSync(path: SyncPath, local: LocalNode, base: BaseState): void {
    const node = this.get(path)
    if (node.local === undefined && node.base === undefined) return this.#change(path, { local, base })
    this.setLocal(path, local)
    this.setBase(path, base)
  }

  /** Records the version that is in sync here, and remembers the content that it replaces (I15: going back to it counts). */
  setBase(path: SyncPath, base: BaseState | undefined): void {
    const node = this.get(path)
    const old = node.base?.content
    if (old !== undefined && old.kind === 'file' && base !== undefined && !sameBytes(old, base.content)) {
      this.statement('INSERT OR IGNORE INTO past (path, hash) VALUES (?, ?)').run(path, old.hash)
    }
    this.#change(path, { base })
  }

  setRefused(path: SyncPath, refused: number): void {
    const { local } = this.get(path)
    if (local !== undefined) this.#change(path, { local: { ...local, refused } })
  }

  /** Whether this device once had that content in sync at that path. */
  wasPast(path: SyncPath, hash: Hash): boolean {
    return this.statement('SELECT 1 FROM past WHERE path = ? AND hash = ?').get(path, hash) !== undefined
  }

  applyRemote({ path, version, content }: RemoteEntry): void {
    const node = this.get(path)
    const before = content === undefined && node.base === undefined ? onItsWay(node.remote) : undefined
    this.#change(path, { remote: { revision: version, content, ...(before === undefined ? {} : { before }) } })
  }

  /** A look has shown that nothing is left here of a version that the log deleted on its way. */
  forgetBefore(path: SyncPath): void {
    const { remote } = this.get(path)
    if (remote?.before !== undefined) this.#change(path, { remote: { revision: remote.revision, content: undefined } })
  }

  chunksOf(path: SyncPath): Chunk[] {
    // Both columns were written from chunks.
    return this.statement('SELECT hash, size FROM piece WHERE path = ? ORDER BY offset').all(path) as unknown as Chunk[]
  }

  /** Local files whose whole content has this hash. */
  filesWith(hash: Hash, limit: number): Node[] {
    return asRows(this.statement('SELECT path, local, base, remote, state FROM node WHERE hash = ? LIMIT ?').all(hash, limit)).map((row) =>
      this.#nodeOf(row),
    )
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
    return asRows(
      this.statement("SELECT path, local, base, remote, state FROM node WHERE json_extract(local, '$[0][4]') = ?").all(inode),
    ).map((row) => this.#nodeOf(row))
  }

  /** Paths whose version in the log has this content, while the disk does not hold it there yet. */
  wantedAt(hash: Hash, limit: number): SyncPath[] {
    return asRows(this.statement('SELECT path, local, base, remote, state FROM node WHERE want_hash = ? LIMIT ?').all(hash, limit)).map(
      ({ path }) => path,
    )
  }

  /** Where a chunk's bytes lie in local files. */
  placesOf(hash: Hash, limit: number): Place[] {
    const sql = 'SELECT path, offset FROM piece WHERE hash = ?1 UNION ALL SELECT path, 0 FROM node WHERE hash = ?1 LIMIT ?2'
    // Paths were validated when written.
    return this.statement(sql).all(hash, limit) as unknown as Place[]
  }

  /** Nodes that vanished from the disk while their base had this content: a new path with the same content is a move of one of them. */
  vanishedWith(hash: Hash, limit: number): Node[] {
    return asRows(
      this.statement('SELECT path, local, base, remote, state FROM node WHERE local IS NULL AND base_hash = ? LIMIT ?').all(hash, limit),
    ).map((row) => this.#nodeOf(row))
  }

  /** Nodes whose local state is gone and whose base is still the log's: deletions to publish. */
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

  meta(key: string): string | undefined {
    const kept = this.#meta.get(key)
    if (kept !== undefined) return kept
    // The column is TEXT NOT NULL.
    const value = (this.statement('SELECT value FROM meta WHERE key = ?').get(key) as { value: string } | undefined)?.value
    if (value !== undefined) this.#meta.set(key, value)
    return value
  }

  setMeta(key: string, value: string): void {
    this.statement('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)').run(key, value)
    this.#meta.set(key, value)
  }

  dropMeta(key: string): void {
    this.statement('DELETE FROM meta WHERE key = ?').run(key)
    this.#meta.delete(key)
  }
}
