import { hash } from 'node:crypto'

const KEY_WORDS = 4
const FIRST_CAPACITY = 1024
const MAX_LOAD = 0.8
const GROWTH = 1.6

/** Where a key stands in a {@link Table}: good until the next `add`. */
export type Slot = number
export const NOWHERE: Slot = -1

/**
 * Many small records in little memory: each has a key of 128 bits and some whole numbers below 2^32. A million records of six numbers
 * take some 60 MB, where objects would take 300. Nothing is ever removed.
 */
export class Table {
  readonly #columns: number
  #capacity = FIRST_CAPACITY
  #keys: Uint32Array
  #values: Uint32Array
  #used: Uint8Array
  #size = 0

  constructor(columns: number) {
    this.#columns = columns
    this.#keys = new Uint32Array(FIRST_CAPACITY * KEY_WORDS)
    this.#values = new Uint32Array(FIRST_CAPACITY * columns)
    this.#used = new Uint8Array(FIRST_CAPACITY)
  }

  get size(): number {
    return this.#size
  }

  find(key: TableKey): Slot {
    const slot = this.#place(key)
    return this.#used[slot] === 1 ? slot : NOWHERE
  }

  /** The key's slot, made with all numbers 0 where it is new. */
  add(key: TableKey): Slot {
    let slot = this.#place(key)
    if (this.#used[slot] === 1) return slot
    if (this.#size + 1 > this.#capacity * MAX_LOAD) {
      this.#grow()
      slot = this.#place(key)
    }
    this.#used[slot] = 1
    this.#keys.set(key, slot * KEY_WORDS)
    this.#size += 1
    return slot
  }

  get(slot: Slot, column: number): number {
    return this.#values[slot * this.#columns + column] ?? 0
  }

  set(slot: Slot, column: number, value: number): void {
    this.#values[slot * this.#columns + column] = value
  }

  key(slot: Slot): TableKey {
    return this.#keys.slice(slot * KEY_WORDS, (slot + 1) * KEY_WORDS)
  }

  *slots(): Generator<Slot> {
    for (let slot = 0; slot < this.#capacity; slot += 1) if (this.#used[slot] === 1) yield slot
  }

  /** The key's own slot, or the free one that it would get. */
  #place(key: TableKey): Slot {
    const keys = this.#keys
    // A key's words are as good as random: the first spreads them over the table.
    let slot = Math.floor(((key[0] ?? 0) / 2 ** 32) * this.#capacity)
    while (this.#used[slot] === 1) {
      const at = slot * KEY_WORDS
      if (keys[at] === key[0] && keys[at + 1] === key[1] && keys[at + 2] === key[2] && keys[at + 3] === key[3]) return slot
      slot = slot + 1 === this.#capacity ? 0 : slot + 1
    }
    return slot
  }

  #grow(): void {
    const [keys, values, used, columns] = [this.#keys, this.#values, this.#used, this.#columns]
    this.#capacity = Math.ceil(this.#capacity * GROWTH)
    this.#keys = new Uint32Array(this.#capacity * KEY_WORDS)
    this.#values = new Uint32Array(this.#capacity * columns)
    this.#used = new Uint8Array(this.#capacity)
    for (let old = 0; old < used.length; old += 1) {
      if (used[old] !== 1) continue
      const slot = this.#freeSlot(keys[old * KEY_WORDS] ?? 0)
      this.#used[slot] = 1
      for (let word = 0; word < KEY_WORDS; word += 1) this.#keys[slot * KEY_WORDS + word] = keys[old * KEY_WORDS + word] ?? 0
      for (let column = 0; column < columns; column += 1) this.#values[slot * columns + column] = values[old * columns + column] ?? 0
    }
  }

  /** The first free slot of a key that is not there, by its first word. */
  #freeSlot(word: number): number {
    let slot = Math.floor((word / 2 ** 32) * this.#capacity)
    while (this.#used[slot] === 1) slot = slot + 1 === this.#capacity ? 0 : slot + 1
    return slot
  }
}

/** Four words of 32 bits. */
export type TableKey = Uint32Array

const wordAt = (digest: string, at: number): number =>
  (digest.charCodeAt(at) | (digest.charCodeAt(at + 1) << 8) | (digest.charCodeAt(at + 2) << 16) | (digest.charCodeAt(at + 3) << 24)) >>> 0

/** A text's key: whoever could make two texts with one key could break SHA-256 cut to 128 bits. */
export const keyOfText = (text: string): TableKey => {
  // As a string: a buffer of its own for each costs more than the hash.
  const digest = hash('sha256', text, 'binary')
  return Uint32Array.of(wordAt(digest, 0), wordAt(digest, 4), wordAt(digest, 8), wordAt(digest, 12))
}

const DIGITS = new Uint8Array(128)
for (let value = 0; value < 16; value += 1) DIGITS[value.toString(16).charCodeAt(0)] = value

/** Eight digits of a hash: several of each event's are asked for, and a slice of it to be parsed takes several times as long. */
export const hexWord = (hex: string, at: number): number => {
  let word = 0
  for (let digit = at; digit < at + 8; digit += 1) word = (word << 4) | (DIGITS[hex.charCodeAt(digit)] ?? 0)
  return word >>> 0
}

/** The key of a hash in hex: its first half. */
export const keyOfHash = (hex: string): TableKey => Uint32Array.of(hexWord(hex, 0), hexWord(hex, 8), hexWord(hex, 16), hexWord(hex, 24))

/** The first half of the hash again, for a person. */
export const hexOfKey = (key: TableKey): string => [...key].map((part) => part.toString(16).padStart(8, '0')).join('')
