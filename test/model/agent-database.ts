import { DatabaseSync } from 'node:sqlite'
import type { Random } from './random.ts'

/** Keeps what is durable for sure while the latest transactions are some that a power cut may take. */
class Watched extends DatabaseSync {
  #before: Uint8Array | undefined
  #end: unknown

  override exec(sql: string): void {
    if (sql === 'PRAGMA synchronous = NORMAL' && this.#changes() !== this.#end) this.#before = this.serialize()
    super.exec(sql)
    if (sql.startsWith('PRAGMA synchronous = ') && !sql.endsWith('NORMAL')) this.#end = this.#changes()
  }

  #changes(): unknown {
    return this.prepare('SELECT total_changes() AS n').get()?.['n']
  }

  /** The database without the latest transactions that waited for no disk; undefined where there are none. */
  durable(): Uint8Array | undefined {
    return this.#changes() === this.#end ? this.#before : undefined
  }
}

const open = (bytes?: Uint8Array): Watched => {
  const database = new Watched(':memory:')
  if (bytes !== undefined && bytes.length > 0) database.deserialize(bytes)
  return database
}

/**
 * One agent's database across its lives. It commits with synchronous=FULL, as the agent's own does, except for what is only noted: a killed process
 * loses nothing, a power cut may lose what was noted last.
 */
export class AgentDatabase {
  #live = open()

  get live(): DatabaseSync {
    return this.#live
  }

  /** The process that used it is gone; whatever of it still runs touches nothing that the next one sees. */
  reopen(): void {
    if (this.#live.isTransaction) this.#live.exec('ROLLBACK')
    this.#live = open(this.#live.serialize())
  }

  afterPowerCut(random: Random): void {
    if (this.#live.isTransaction) this.#live.exec('ROLLBACK')
    const durable = this.#live.durable()
    this.#live = open(durable === undefined || random.chance(0.3) ? this.#live.serialize() : durable)
  }
}
