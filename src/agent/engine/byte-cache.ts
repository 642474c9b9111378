import type { Hash } from '../../domain/content.ts'

const LIMIT = 32 * 1024 * 1024

const ENOUGH = LIMIT / 2

/** The bytes of small contents between their reading and their sending, so that most are read once; bounded, the oldest go first (I16). */
export class ByteCache {
  readonly #bytes = new Map<Hash, Uint8Array>()
  #total = 0

  set(hash: Hash, bytes: Uint8Array): void {
    if (this.#bytes.has(hash)) return
    this.#bytes.set(hash, bytes)
    this.#total += bytes.byteLength
    for (const [oldest, old] of this.#bytes) {
      if (this.#total <= LIMIT) return
      this.#bytes.delete(oldest)
      this.#total -= old.byteLength
    }
  }

  get total(): number {
    return this.#total
  }

  /** So much waits to be sent that more need not be read yet: it would only push out what is to be sent next. */
  get isAmple(): boolean {
    return this.#total > ENOUGH
  }

  get(hash: Hash): Uint8Array | undefined {
    return this.#bytes.get(hash)
  }

  delete(hash: Hash): void {
    const bytes = this.#bytes.get(hash)
    if (bytes === undefined) return
    this.#bytes.delete(hash)
    this.#total -= bytes.byteLength
  }
}
