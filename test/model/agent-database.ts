import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Random } from './random.ts'

const MAX_SNAPSHOTS = 12

const open = (bytes?: Uint8Array): DatabaseSync => {
  const database = new DatabaseSync(':memory:')
  if (bytes !== undefined && bytes.length > 0) database.deserialize(bytes)
  return database
}

/**
 * One agent's database across its lives. It commits with synchronous=NORMAL: a killed process loses nothing of it, a power cut may lose its latest
 * transactions, never one from the middle.
 */
export class AgentDatabase {
  #live = open()
  #changes: unknown = 0
  #counter: StatementSync | undefined
  readonly #snapshots: Uint8Array[] = []
  readonly #keepsSnapshots: boolean

  /** `keepsSnapshots`: the power may be cut (taking them costs time). */
  constructor(keepsSnapshots: boolean) {
    this.#keepsSnapshots = keepsSnapshots
  }

  get live(): DatabaseSync {
    return this.#live
  }

  /** To be called often: remembers the present state if it is a new one. */
  note(): void {
    if (!this.#keepsSnapshots || this.#live.isTransaction) return
    this.#counter ??= this.#live.prepare('SELECT total_changes() AS n')
    const changes = this.#counter.get()?.['n']
    if (changes === this.#changes) return
    this.#changes = changes
    this.#snapshots.push(this.#live.serialize())
    if (this.#snapshots.length > MAX_SNAPSHOTS) this.#snapshots.shift()
  }

  /** The process that used it is gone; whatever of it still runs touches nothing that the next one sees. */
  afterKill(): void {
    this.note()
    if (this.#live.isTransaction) this.#live.exec('ROLLBACK')
    this.#use(open(this.#live.serialize()))
  }

  afterPowerCut(random: Random): void {
    this.afterKill()
    if (this.#snapshots.length === 0 || random.chance(0.4)) return
    const kept = random.int(this.#snapshots.length)
    this.#use(open(this.#snapshots[kept]))
    this.#snapshots.length = kept + 1
  }

  #use(database: DatabaseSync): void {
    this.#live = database
    this.#counter = undefined
    this.#changes = 0
  }
}
