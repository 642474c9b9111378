const RECENT_MS = 60_000

/** Deletions that went out lately: a mass deletion that comes in small pieces is one all the same. */
export class RecentDeletions {
  #entries: { readonly at: number; readonly count: number }[] = []

  add(count: number, now: number): void {
    this.#entries.push({ at: now, count })
  }

  count(now: number): number {
    this.#entries = this.#entries.filter(({ at }) => now - at < RECENT_MS)
    return this.#entries.reduce((sum, { count }) => sum + count, 0)
  }
}
