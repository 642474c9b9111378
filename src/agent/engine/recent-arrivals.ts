import type { SyncPath } from '../../domain/path.ts'

const LIMIT = 1_024

interface Arrival {
  readonly at: number
  /** Brought here from the log, not made here. */
  readonly brought: boolean
}

/** When files came to the folder that were not in it before, the latest ones of this run: what came while others were being deleted is none of those. */
export class RecentArrivals {
  readonly #arrivals = new Map<SyncPath, Arrival>()

  add(path: SyncPath, arrival: Arrival): void {
    this.#arrivals.delete(path)
    this.#arrivals.set(path, arrival)
    if (this.#arrivals.size <= LIMIT) return
    const oldest = this.#arrivals.keys().next()
    if (oldest.done === false) this.#arrivals.delete(oldest.value)
  }

  cameSince(path: SyncPath, moment: number): boolean {
    const arrival = this.#arrivals.get(path)
    return arrival !== undefined && arrival.at >= moment
  }

  broughtSince(moment: number): SyncPath[] {
    return [...this.#arrivals].flatMap(([path, { at, brought }]) => (brought && at >= moment ? [path] : []))
  }
}
