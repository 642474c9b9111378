import type { DatabaseSync } from 'node:sqlite'
import { type Chunk, type Hash, sameBytes } from '../../domain/content.ts'
import { parentOf, type SyncPath } from '../../domain/path.ts'
import type { BaseState } from '../../domain/plan/trees.ts'
import { createLru } from '../../lib/lru.ts'
import type { RemoteEntry } from '../../protocol/messages.ts'
import { changedBetween, keysOf, textsOf, weightOf } from './columns.ts'
import { IndexDatabase } from './index-database.ts'
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
  type Row,
  stateOf,
  toEntry,
} from './node.ts'

/** Nodes that are kept decoded: as many as are under way at once, so that each is read once on its way through the engine (I16). */
const KEPT = 8_192

/** Nodes, read and written one by one. */
export class NodeTable extends IndexDatabase {
  readonly #isIgnored: IsIgnored
  readonly #kept = createLru<SyncPath, Entry>(KEPT, weightOf)

  constructor(db: DatabaseSync, isIgnored: IsIgnored) {
    super(db)
    this.#isIgnored = isIgnored
  }

  protected override forget(): void {
    this.#kept.clear()
    super.forget()
  }

  protected nodesOf(rows: readonly unknown[]): Node[] {
    return asRows(rows).map((row) => this.#nodeOf(row))
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

  /** The two bits of what is open at a path: 1, the disk differs from base; 2, the log does. */
  stateAt(path: SyncPath): number {
    return this.#entry(path).state
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

  /**
   * After a power cut: what was noted of the disk and is not in sync may be there no more, in part, or again. Until it is looked at, it counts as what was last
   * in sync, which is durable (I17), with a stat that nothing on a disk has.
   */
  distrust(): void {
    const page = `SELECT path, local, base, remote, state FROM node WHERE state & ${LOCAL_OPEN} AND path > ? ORDER BY path LIMIT 1000`
    for (let nodes = this.#after(page, ''); nodes.length > 0; nodes = this.#after(page, nodes.at(-1)?.path ?? '')) {
      this.atomically(() => {
        for (const { path, base } of nodes)
          this.setLocal(path, base === undefined ? undefined : { content: base.content, seen: nowhere(base.content), settled: false })
      })
    }
  }

  #after(sql: string, after: string): Node[] {
    return this.nodesOf(this.statement(sql).all(after))
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

  /** Whether this device once had that content in sync at that path. */
  wasPast(path: SyncPath, hash: Hash): boolean {
    return this.statement('SELECT 1 FROM past WHERE path = ? AND hash = ?').get(path, hash) !== undefined
  }

  chunksOf(path: SyncPath): Chunk[] {
    // Both columns were written from chunks.
    return this.statement('SELECT hash, size FROM piece WHERE path = ? ORDER BY offset').all(path) as unknown as Chunk[]
  }
}
