import type { PackPlace } from '../../blobstore/port.ts'
import type { Chunk, Hash } from '../../domain/content.ts'
import type { PackEvent } from '../../domain/events.ts'
import { hexOfKey, keyOfHash, NOWHERE, Table, type Slot, type TableKey } from './table.ts'

// The columns of the table of chunks.
const SIZE = 0
/** The number of its pack, from 1; 0: none. */
const PACK = 1
const OFFSET = 2
const STREAM = 3
const REVISION = 4
const FLAGS = 5
const COLUMNS = 6

/** An event names it. */
const NAMED = 1
/** It lies in the store as an object of its own. */
const OWN = 2
/** The log says that it was let go, and nothing has named it since. */
const RELEASED = 4

/** What the log says of a stored pack. */
export interface KnownPack {
  readonly pack: string
  /** The event that told of it. */
  readonly revision: number
  /** What it weighs. */
  readonly size: number
  /** Whether the store has it, in its right size. */
  present: boolean
  /** Whether it may be gone, since the log says so. */
  retired: boolean
}

/** A chunk that an event names, and the first that did. */
export interface NamedChunk {
  /** The first half of its hash. */
  readonly hash: string
  readonly size: number
  readonly stream: string
  readonly revision: number
}

/** The chunks that events name, and where the log says that they lie: some 60 bytes for each. */
export class Contents {
  readonly #table = new Table(COLUMNS)
  readonly #packs: KnownPack[] = []
  readonly #packNumbers = new Map<string, number>()
  readonly #streams: string[] = []
  readonly #streamNumbers = new Map<string, number>()

  get packs(): readonly KnownPack[] {
    return this.#packs
  }

  get chunks(): number {
    return this.#table.size
  }

  /** `present`: it is known to be there without being looked for. */
  packed({ pack, entries }: PackEvent, revision: number, size: number, present = false): void {
    const table = this.#table
    // Two batches of the same chunks at the same time, or one again after a kill, make one object and two events.
    const number = this.#packNumbers.get(pack) ?? this.#packs.length + 1
    this.#packs[number - 1] = { pack, revision, size, present, retired: false }
    this.#packNumbers.set(pack, number)
    for (const entry of entries) {
      const slot = table.add(keyOfHash(entry.hash))
      if ((table.get(slot, FLAGS) & NAMED) === 0) table.set(slot, SIZE, entry.size)
      table.set(slot, PACK, number)
      table.set(slot, OFFSET, entry.offset)
      table.set(slot, FLAGS, table.get(slot, FLAGS) & ~RELEASED)
    }
  }

  /** The log says that these chunks go, with their pack or as objects of their own: from here on they may be gone, until they are stored or named anew. */
  retire(pack: string | null, chunks: readonly Hash[]): void {
    const number = pack === null ? 0 : (this.#packNumbers.get(pack) ?? 0)
    const known = this.#packs[number - 1]
    if (known !== undefined) known.retired = true
    for (const hash of chunks) {
      const slot = this.#table.find(keyOfHash(hash))
      // Another pack may hold it meanwhile.
      if (slot !== NOWHERE && this.#table.get(slot, PACK) === number) this.#table.set(slot, FLAGS, this.#table.get(slot, FLAGS) | RELEASED)
    }
  }

  /** An event names a chunk; false where another one, or its pack, says another size of it. */
  name({ hash, size }: Chunk, stream: string, revision: number): boolean {
    return this.nameKey(keyOfHash(hash), size, stream, revision)
  }

  /** The same by the first half of its hash. */
  nameKey(key: TableKey, size: number, stream: string, revision: number): boolean {
    const table = this.#table
    const slot = table.add(key)
    const flags = table.get(slot, FLAGS)
    const isKnown = (flags & NAMED) !== 0 || table.get(slot, PACK) !== 0
    if ((flags & NAMED) === 0 || (flags & RELEASED) !== 0) {
      table.set(slot, STREAM, this.#numberOf(stream))
      table.set(slot, REVISION, revision)
      table.set(slot, FLAGS, (flags | NAMED) & ~RELEASED)
    }
    if (isKnown) return table.get(slot, SIZE) === size
    table.set(slot, SIZE, size)
    return true
  }

  /** Where a chunk lies; undefined: it is an object of its own, if anything. */
  place(hash: Hash): PackPlace | undefined {
    const slot = this.#table.find(keyOfHash(hash))
    const pack = slot === NOWHERE ? undefined : this.#packs[this.#table.get(slot, PACK) - 1]
    return pack === undefined ? undefined : { pack: pack.pack, offset: this.#table.get(slot, OFFSET), size: this.#table.get(slot, SIZE) }
  }

  pack(hash: string): KnownPack | undefined {
    return this.#packs[(this.#packNumbers.get(hash) ?? 0) - 1]
  }

  /** The store has the chunk as an object of its own: the event that names it, where that says another size. */
  own(hash: Hash, size: number): NamedChunk | undefined {
    const slot = this.#table.find(keyOfHash(hash))
    if (slot === NOWHERE) return undefined
    if (this.#table.get(slot, SIZE) !== size) return this.#named(slot)
    this.#table.set(slot, FLAGS, this.#table.get(slot, FLAGS) | OWN)
    return undefined
  }

  /** The event that named the chunk first. */
  firstNamed(hash: Hash): NamedChunk | undefined {
    const slot = this.#table.find(keyOfHash(hash))
    return slot === NOWHERE || (this.#table.get(slot, FLAGS) & NAMED) === 0 ? undefined : this.#named(slot)
  }

  isReleased(hash: Hash): boolean {
    const slot = this.#table.find(keyOfHash(hash))
    return slot !== NOWHERE && (this.#table.get(slot, FLAGS) & RELEASED) !== 0
  }

  /** The chunks that are named and lie nowhere, when all objects have been looked at; `released`: the log says why. */
  *missing(): Generator<NamedChunk & { readonly released: boolean }> {
    for (const slot of this.#table.slots()) {
      const flags = this.#table.get(slot, FLAGS)
      const isPacked = this.#packs[this.#table.get(slot, PACK) - 1]?.present === true
      if ((flags & NAMED) !== 0 && (flags & OWN) === 0 && !isPacked) yield { ...this.#named(slot), released: (flags & RELEASED) !== 0 }
    }
  }

  #named(slot: Slot): NamedChunk {
    return {
      hash: hexOfKey(this.#table.key(slot)),
      size: this.#table.get(slot, SIZE),
      stream: this.#streams[this.#table.get(slot, STREAM)] ?? '',
      revision: this.#table.get(slot, REVISION),
    }
  }

  #numberOf(stream: string): number {
    const known = this.#streamNumbers.get(stream)
    if (known !== undefined) return known
    const number = this.#streams.push(stream) - 1
    this.#streamNumbers.set(stream, number)
    return number
  }
}
