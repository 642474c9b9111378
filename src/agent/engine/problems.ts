import type { SyncPath } from '../../domain/path.ts'
import type { DiskError } from '../disk/port.ts'
import type { Problem } from './folder-sync.types.ts'

/** Where the obstacle lies: in reading what is on the disk, or in bringing (or sending) a version. */
type Side = 'disk' | 'version'

interface Entry {
  readonly reason: string
  readonly side: Side
  /** Nothing that this device does will change it: it does not keep the folder from being in sync. */
  readonly permanent: boolean
  readonly attempts: number
  /** undefined: it is being tried again. */
  readonly retryAt: number | undefined
}

export interface Obstacle {
  readonly reason: string
  readonly side: Side
  readonly permanent: boolean
}

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 60_000

export const obstacleOf = (error: DiskError, side: Side): Obstacle => ({
  reason: error.reason,
  side,
  permanent: error.tag === 'BadName' || error.tag === 'NameClash' || error.tag === 'Private',
})

/** Paths that can't be dealt with now, and why; each is tried again with growing pauses, and everything else goes on. */
export class Problems {
  readonly #entries = new Map<SyncPath, Entry>()

  /** Notes an obstacle; tells whether it is news. */
  block(path: SyncPath, obstacle: Obstacle, now: number): boolean {
    const before = this.#entries.get(path)
    const attempts = (before?.attempts ?? 0) + 1
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempts - 1, 10))
    this.#entries.set(path, { ...obstacle, attempts, retryAt: now + pause })
    return before?.reason !== obstacle.reason
  }

  /** It went well, or does not matter any more. Only an obstacle of the given side is forgotten; tells whether there was one. */
  clear(path: SyncPath, side: Side): boolean {
    return this.#entries.get(path)?.side === side && this.#entries.delete(path)
  }

  blocks(path: SyncPath): boolean {
    return this.#entries.get(path)?.retryAt !== undefined
  }

  has(path: SyncPath, side: Side): boolean {
    return this.#entries.get(path)?.side === side
  }

  isPermanent(path: SyncPath): boolean {
    return this.#entries.get(path)?.permanent === true
  }

  /** Paths whose versions are being tried again, and of which nothing has been heard yet. */
  get tried(): SyncPath[] {
    return [...this.#entries].filter(([, { retryAt, side }]) => retryAt === undefined && side === 'version').map(([path]) => path)
  }

  /** The paths whose pause is over: each is given once, and counts as being tried again. */
  takeDue(now: number): SyncPath[] {
    const due: SyncPath[] = []
    for (const [path, entry] of this.#entries) {
      if (entry.retryAt === undefined || entry.retryAt > now) continue
      this.#entries.set(path, { ...entry, retryAt: undefined })
      due.push(path)
    }
    return due
  }

  /** Tries all again at once: somebody waits. */
  hurry(): void {
    for (const [path, entry] of this.#entries) if (entry.retryAt !== undefined) this.#entries.set(path, { ...entry, retryAt: 0 })
  }

  /** When the next pause is over. */
  next(): number | undefined {
    let next: number | undefined
    for (const { retryAt } of this.#entries.values()) if (retryAt !== undefined) next = Math.min(next ?? retryAt, retryAt)
    return next
  }

  list(): Problem[] {
    return [...this.#entries].map(([path, { reason }]) => ({ path, reason }))
  }

  permanentPaths(limit: number): SyncPath[] {
    return [...this.#entries]
      .filter(([, { permanent }]) => permanent)
      .slice(0, limit)
      .map(([path]) => path)
  }

  get size(): number {
    return this.#entries.size
  }

  get allPermanent(): boolean {
    return [...this.#entries.values()].every(({ permanent }) => permanent)
  }
}
