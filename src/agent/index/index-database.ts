import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { transaction } from '../../lib/sqlite.ts'
import { prepareSchema } from './schema.ts'

/** The index's database: its transactions, its statements, and its few single values. */
export class IndexDatabase {
  readonly #db: DatabaseSync
  readonly #synchronous: number
  readonly #statements = new Map<string, StatementSync>()
  readonly #meta = new Map<string, string>()

  constructor(db: DatabaseSync) {
    prepareSchema(db)
    this.#db = db
    this.#synchronous = Number(db.prepare('PRAGMA synchronous').get()?.['synchronous'])
  }

  /** What is remembered may be of a transaction that was rolled back. */
  protected forget(): void {
    this.#meta.clear()
  }

  /** Runs several writes as one transaction. */
  atomically<T>(work: () => T): T {
    if (this.#db.isTransaction) return work()
    try {
      return transaction(this.#db, work)
    } catch (error) {
      this.forget()
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
