import type { SyncPath } from '../../domain/path.ts'

const LIMIT = 50_000
const HEAT_WINDOW_MS = 2_000
const LONGEST_PAUSE_MS = 10_000
const MAX_HOT = 4_096

/**
 * Paths to look at: now, or later. A path that was sent again and again lately waits with growing pauses, so that a file that never rests neither
 * starves the rest nor is sent at each write. Bounded: beyond the limit everything is to be scanned instead.
 */
export class LookQueue {
  readonly #due = new Set<SyncPath>()
  readonly #later = new Map<SyncPath, number>()
  readonly #heat = new Map<SyncPath, { readonly count: number; readonly at: number }>()
  #overflowed = false
  readonly #wake: () => void

  constructor(wake: () => void) {
    this.#wake = wake
  }

  add(path: SyncPath, now: number, delay = 0): void {
    const pause = Math.max(delay, this.#pauseOf(path, now))
    if (this.#due.size + this.#later.size >= LIMIT) this.#overflowed = true
    else if (pause <= 0) {
      this.#later.delete(path)
      this.#due.add(path)
    } else if (!this.#due.has(path)) this.#later.set(path, Math.min(this.#later.get(path) ?? Infinity, now + pause))
    this.#wake()
  }

  /** Tells that a content of the path has been sent. */
  sent(path: SyncPath, now: number): void {
    const heat = this.#heat.get(path)
    const count = heat !== undefined && now - heat.at < HEAT_WINDOW_MS + this.#pause(heat.count) ? heat.count + 1 : 1
    this.#heat.delete(path)
    this.#heat.set(path, { count, at: now })
    if (this.#heat.size <= MAX_HOT) return
    const oldest = this.#heat.keys().next()
    if (oldest.done === false) this.#heat.delete(oldest.value)
  }

  #pause(count: number): number {
    return count < 3 ? 0 : Math.min(LONGEST_PAUSE_MS, 20 * 2 ** Math.min(count - 3, 10))
  }

  #pauseOf(path: SyncPath, now: number): number {
    const heat = this.#heat.get(path)
    return heat === undefined ? 0 : heat.at + this.#pause(heat.count) - now
  }

  /** Whether it was sent so often lately that it waits. */
  isHot(path: SyncPath, now: number): boolean {
    return this.#pauseOf(path, now) > 0
  }

  take(now: number, limit: number): SyncPath[] {
    for (const [path, at] of this.#later) {
      if (at > now) continue
      this.#later.delete(path)
      this.#due.add(path)
    }
    const taken: SyncPath[] = []
    for (const path of this.#due) {
      if (taken.length >= limit) break
      this.#due.delete(path)
      taken.push(path)
    }
    return taken
  }

  /** Makes everything due now: somebody waits for all to be settled. */
  hurry(): void {
    for (const path of this.#later.keys()) this.#due.add(path)
    this.#later.clear()
    this.#wake()
  }

  takeOverflow(): boolean {
    const overflowed = this.#overflowed
    this.#overflowed = false
    return overflowed
  }

  /** When the next waiting path is due; undefined where none waits. */
  next(): number | undefined {
    let next: number | undefined
    for (const at of this.#later.values()) next = Math.min(next ?? at, at)
    return next
  }

  get dueNow(): boolean {
    return this.#due.size > 0
  }

  get empty(): boolean {
    return this.#due.size === 0 && this.#later.size === 0
  }
}
