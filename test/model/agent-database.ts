import { DatabaseSync } from 'node:sqlite'

const open = (bytes?: Uint8Array): DatabaseSync => {
  const database = new DatabaseSync(':memory:')
  if (bytes !== undefined && bytes.length > 0) database.deserialize(bytes)
  return database
}

/**
 * One agent's database across its lives. It commits with synchronous=FULL, as the agent's own does: neither a killed process nor a power cut
 * loses a transaction.
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
}
