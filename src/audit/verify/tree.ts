import type { Content, Hash, Kind } from '../../domain/content.ts'
import type { FileEvent, FileId } from '../../domain/events.ts'
import { parentOf, type SyncPath } from '../../domain/path.ts'
import {
  BASE,
  CREATE,
  CREATED as RECORD_CREATED,
  DELETE,
  FLAGS,
  FROM,
  FROM_HAS_PARENT,
  FROM_PARENT,
  HAS_PARENT,
  HASH_HIGH as RECORD_HASH_HIGH,
  HASH_LOW as RECORD_HASH_LOW,
  KEY_WORDS,
  KIND_SHIFT,
  MOVE,
  PARENT,
  PATH,
  REVISION as RECORD_REVISION,
  TYPE_MASK,
} from './records.ts'
import { hexWord, keyOfText, NOWHERE, Table, type Slot, type TableKey } from './table.ts'

// The columns of the table.
const REVISION = 0
const CREATED = 1
const FLAG_BITS = 2
const CHILDREN = 3
const HASH_HIGH = 4
const HASH_LOW = 5
const COLUMNS = 6

export const KINDS: readonly Kind[] = ['file', 'directory', 'symlink']
const DIRECTORY = 1
const KIND_MASK = 3
const LIVE = 4
/** The folder's number stands above the flags. */
const FOLDER = 8

/** Keys that are at hand. */
const MAX_KEYS = 256

/** A path as the log left it. Of a content's hash 64 bits are kept: enough to tell contents apart, since what is signed holds all of it. */
export interface Known {
  readonly revision: number
  /** The revision of the event that made the file: the end of its id. */
  readonly created: number
  readonly live: boolean
  readonly kind: Kind
  readonly children: number
  readonly hash: string
}

/** Digits of a hash that are kept. */
const HASH_DIGITS = 16

export const isOfHash = (known: Known, hash: Hash): boolean => hash.startsWith(known.hash)

/** A file's id ends with the revision that made it (protocol/event-ids.ts). */
const REVISION_AT = 16
export const createdIn = (fileId: FileId): number => Number.parseInt(fileId.slice(REVISION_AT), 16)

/** The key of a path in {@link Trees}. */
export const keyOfPath = (folder: string, path: SyncPath): TableKey => keyOfText(`${folder}/${path}`)

const isLive = (flags: number): boolean => (flags & LIVE) !== 0
const isDirectory = (flags: number): boolean => (flags & KIND_MASK) === DIRECTORY

/** The trees of all folders at the place that has been read, folded as every reader folds them (domain/tree.ts), in 50 bytes a path. */
export class Trees {
  readonly #table = new Table(COLUMNS)
  readonly #folders = new Map<string, number>()
  readonly #keys = new Map<string, TableKey>()

  get size(): number {
    return this.#table.size
  }

  get(folder: string, path: SyncPath): Known | undefined {
    const slot = this.#table.find(this.#key(folder, path))
    return slot === NOWHERE ? undefined : this.#read(slot)
  }

  /** Whether the file that was made at a revision lives anywhere: looked for entry by entry, since that is asked but seldom. */
  lives(folder: string, created: number): boolean {
    const number = this.#numberOf(folder)
    for (const slot of this.#table.slots()) {
      const flags = this.#table.get(slot, FLAG_BITS)
      if (this.#table.get(slot, CREATED) === created && (flags & LIVE) !== 0 && Math.floor(flags / FOLDER) === number) return true
    }
    return false
  }

  /** What the event at a revision makes of the paths that it touches. */
  apply(folder: string, event: FileEvent, revision: number): void {
    if (event.type === 'FileMoved') this.#put(folder, event.from, revision, event.fileId, undefined)
    this.#put(folder, event.path, revision, event.fileId, event.type === 'FileDeleted' ? undefined : event.content)
  }

  /**
   * Whether the tree is as it must have been before the event of a record (records.ts) that did what its change says: what `judge` finds right of it, but
   * not all of that.
   */
  follows(words: Uint32Array, at: number): boolean {
    const flags = words[at + FLAGS] ?? 0
    const path = this.#table.find(keyAt(words, at + PATH))
    switch (flags & TYPE_MASK) {
      case CREATE:
        return !this.#lives(path) && this.#hasParent(words, at)
      case MOVE:
        return !this.#lives(path) && this.#hasParent(words, at) && this.#isBase(this.#table.find(keyAt(words, at + FROM)), words, at)
      default:
        return this.#isBase(path, words, at)
    }
  }

  /** What the event of a record makes of the paths that it touches. */
  applyRecord(folder: string, words: Uint32Array, at: number): void {
    const flags = words[at + FLAGS] ?? 0
    const number = this.#numberOf(folder)
    const type = flags & TYPE_MASK
    if (type === MOVE)
      this.#putKey(keyAt(words, at + FROM), number, words, at, undefined, parentAt(words, at + FROM_PARENT, flags & FROM_HAS_PARENT))
    const kind = type === DELETE ? undefined : (flags >> KIND_SHIFT) & KIND_MASK
    this.#putKey(keyAt(words, at + PATH), number, words, at, kind, parentAt(words, at + PARENT, flags & HAS_PARENT))
  }

  #lives(slot: Slot): boolean {
    return slot !== NOWHERE && isLive(this.#table.get(slot, FLAG_BITS))
  }

  #hasParent(words: Uint32Array, at: number): boolean {
    const parent = parentAt(words, at + PARENT, (words[at + FLAGS] ?? 0) & HAS_PARENT)
    if (parent === undefined) return true
    const slot = this.#table.find(parent)
    return this.#lives(slot) && isDirectory(this.#table.get(slot, FLAG_BITS))
  }

  /** Whether a slot holds the version, and the file, that the event was made on; a directory only where nothing lives in it, and only to be deleted. */
  #isBase(slot: Slot, words: Uint32Array, at: number): boolean {
    if (!this.#lives(slot)) return false
    const table = this.#table
    if (table.get(slot, REVISION) !== words[at + BASE] || table.get(slot, CREATED) !== words[at + RECORD_CREATED]) return false
    if (!isDirectory(table.get(slot, FLAG_BITS))) return true
    return ((words[at + FLAGS] ?? 0) & TYPE_MASK) === DELETE && table.get(slot, CHILDREN) === 0
  }

  #putKey(key: TableKey, number: number, words: Uint32Array, at: number, kind: number | undefined, parent: TableKey | undefined): void {
    const table = this.#table
    const slot = table.add(key)
    const flags = table.get(slot, FLAG_BITS)
    table.set(slot, REVISION, words[at + RECORD_REVISION] ?? 0)
    table.set(slot, CREATED, words[at + RECORD_CREATED] ?? 0)
    table.set(slot, FLAG_BITS, (kind ?? flags & KIND_MASK) + (kind === undefined ? 0 : LIVE) + number * FOLDER)
    if (kind !== undefined) {
      table.set(slot, HASH_HIGH, words[at + RECORD_HASH_HIGH] ?? 0)
      table.set(slot, HASH_LOW, words[at + RECORD_HASH_LOW] ?? 0)
    }
    if (parent !== undefined) this.#countIn(parent, (kind === undefined ? 0 : 1) - (isLive(flags) ? 1 : 0))
  }

  #countIn(parent: TableKey, difference: number): void {
    if (difference === 0) return
    const slot = this.#table.add(parent)
    this.#table.set(slot, CHILDREN, Math.max(0, this.#table.get(slot, CHILDREN) + difference))
  }

  #put(folder: string, path: SyncPath, revision: number, fileId: FileId, content: Content | undefined): void {
    const table = this.#table
    const slot = table.add(this.#key(folder, path))
    const flags = table.get(slot, FLAG_BITS)
    const kind = content === undefined ? flags & KIND_MASK : KINDS.indexOf(content.kind)
    table.set(slot, REVISION, revision)
    table.set(slot, CREATED, createdIn(fileId))
    table.set(slot, FLAG_BITS, kind + (content === undefined ? 0 : LIVE) + this.#numberOf(folder) * FOLDER)
    if (content !== undefined) {
      table.set(slot, HASH_HIGH, hexWord(content.hash, 0))
      table.set(slot, HASH_LOW, hexWord(content.hash, HASH_DIGITS / 2))
    }
    this.#count(folder, path, (content === undefined ? 0 : 1) - ((flags & LIVE) === 0 ? 0 : 1))
  }

  /** How many live in a folder: one more, or one less. */
  #count(folder: string, path: SyncPath, difference: number): void {
    const parent = difference === 0 ? undefined : parentOf(path)
    if (parent !== undefined) this.#countIn(this.#key(folder, parent), difference)
  }

  #read(slot: Slot): Known {
    const table = this.#table
    const flags = table.get(slot, FLAG_BITS)
    return {
      revision: table.get(slot, REVISION),
      created: table.get(slot, CREATED),
      live: (flags & LIVE) !== 0,
      kind: KINDS[flags & KIND_MASK] ?? 'file',
      children: table.get(slot, CHILDREN),
      hash: hex(table.get(slot, HASH_HIGH)) + hex(table.get(slot, HASH_LOW)),
    }
  }

  /** Each event asks for the same few paths several times, and its neighbours for the same folder. */
  #key(folder: string, path: SyncPath): TableKey {
    const name = `${folder}/${path}`
    const known = this.#keys.get(name)
    if (known !== undefined) return known
    if (this.#keys.size >= MAX_KEYS) this.#keys.clear()
    const key = keyOfPath(folder, path)
    this.#keys.set(name, key)
    return key
  }

  #numberOf(folder: string): number {
    const known = this.#folders.get(folder)
    if (known !== undefined) return known
    const number = this.#folders.size
    this.#folders.set(folder, number)
    return number
  }
}

const keyAt = (words: Uint32Array, at: number): TableKey => words.subarray(at, at + KEY_WORDS)
const parentAt = (words: Uint32Array, at: number, has: number): TableKey | undefined => (has === 0 ? undefined : keyAt(words, at))

const hex = (word: number): string => word.toString(16).padStart(8, '0')
