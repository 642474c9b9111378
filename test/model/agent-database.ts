import { DatabaseSync } from 'node:sqlite'
import type { Random } from './random.ts'

const MAX_SNAPSHOTS = 12

const open = (bytes?: Uint8Array): DatabaseSync => {
  const database = new DatabaseSync(':memory:')
  if (bytes !== undefined && bytes.length > 0) database.deserialize(bytes)
  return database
}

const changesOf = (database: DatabaseSync): unknown => Object.values(database.prepare('SELECT total_changes()').get() ?? {})[0]

/**
 * One agent's database across its lives. It commits with synchronous=NORMAL: a killed process loses nothing of it, a power cut may lose its latest
 * transactions, never one from the middle.
 */
export class AgentDatabase {
  #live = open()
  #changes: unknown = 0
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
    const changes = changesOf(this.#live)
    if (changes === this.#changes) return
    this.#changes = changes
    this.#snapshots.push(this.#live.serialize())
    if (this.#snapshots.length > MAX_SNAPSHOTS) this.#snapshots.shift()
  }

  /** The process that used it is gone; whatever of it still runs touches nothing that the next one sees. */
  afterKill(): void {
    this.note()
    if (this.#live.isTransaction) this.#live.exec('ROLLBACK')
    this.#live = open(this.#live.serialize())
    this.#changes = 0
  }

  afterPowerCut(random: Random): void {
    this.afterKill()
    if (this.#snapshots.length === 0 || random.chance(0.4)) return
    const kept = random.int(this.#snapshots.length)
    this.#live = open(this.#snapshots[kept])
    this.#snapshots.length = kept + 1
  }

  /** The process runs no more, and nothing of it does. */
  close(): void {
    this.#live.close()
  }
}
