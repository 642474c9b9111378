import type { Hash } from '../../domain/content.ts'

/** The bytes of small contents that are soon asked for: between their reading and their sending, say, so that most are read once. Bounded, the oldest go first (I16). */
export class ByteCache {
  readonly #bytes = new Map<Hash, Uint8Array>()
  /** How many of the contents lie in each block of memory: it is let go with the last of them. */
  readonly #blocks = new Map<ArrayBufferLike, number>()
  readonly #limit: number
  #total = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  set(hash: Hash, bytes: Uint8Array): void {
    if (this.#bytes.has(hash)) return
    this.#bytes.set(hash, bytes)
    const sharers = this.#blocks.get(bytes.buffer) ?? 0
    this.#blocks.set(bytes.buffer, sharers + 1)
    if (sharers === 0) this.#total += bytes.buffer.byteLength
    for (const oldest of this.#bytes.keys()) {
      if (this.#total <= this.#limit) return
      this.delete(oldest)
    }
  }

  get total(): number {
    return this.#total
  }

  /** So much waits to be sent that more need not be read yet: it would only push out what is to be sent next. */
  get isAmple(): boolean {
    return this.#total > this.#limit / 2
  }

  get(hash: Hash): Uint8Array | undefined {
    return this.#bytes.get(hash)
  }

  delete(hash: Hash): void {
    const bytes = this.#bytes.get(hash)
    if (bytes === undefined) return
    this.#bytes.delete(hash)
    const sharers = (this.#blocks.get(bytes.buffer) ?? 1) - 1
    if (sharers > 0) this.#blocks.set(bytes.buffer, sharers)
    else {
      this.#blocks.delete(bytes.buffer)
      this.#total -= bytes.buffer.byteLength
    }
  }
}
