import type { SyncPath } from '../../domain/path.ts'

const LIMIT = 10_000

/**
 * Paths at which a step found something else than the trees say while a scan is under way, which looks wait for (after a kill it may well be the very version,
 * put in place and not recorded). They are planned again when the scan has come there, or is over. Bounded: beyond the limit none waits.
 */
export class Unlooked {
  readonly #paths = new Set<SyncPath>()

  /** False where there is no room for it. */
  add(path: SyncPath): boolean {
    if (this.#paths.size >= LIMIT) return false
    this.#paths.add(path)
    return true
  }

  has(path: SyncPath): boolean {
    return this.#paths.has(path)
  }

  /** Tells whether it waited. */
  delete(path: SyncPath): boolean {
    return this.#paths.delete(path)
  }

  /** All of them, which wait no longer. */
  takeAll(): readonly SyncPath[] {
    const all = [...this.#paths]
    this.#paths.clear()
    return all
  }
}
