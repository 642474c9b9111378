/** A set that keeps its latest members, up to a limit. */
export class RecentSet<T> {
  readonly #members = new Set<T>()
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  add(member: T): void {
    this.#members.delete(member)
    this.#members.add(member)
    if (this.#members.size <= this.#limit) return
    const oldest = this.#members.keys().next()
    if (oldest.done === false) this.#members.delete(oldest.value)
  }

  has(member: T): boolean {
    return this.#members.has(member)
  }

  delete(member: T): void {
    this.#members.delete(member)
  }
}
