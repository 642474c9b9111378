import type { Content, Hash, Kind } from '../../domain/content.ts'
import type { FileEvent, FileId } from '../../domain/events.ts'
import { parentOf, type SyncPath } from '../../domain/path.ts'
import { keyOfText, NOWHERE, Table, type Slot, type TableKey } from './table.ts'

// The columns of the table.
const REVISION = 0
const CREATED = 1
const FLAGS = 2
const CHILDREN = 3
const HASH_HIGH = 4
const HASH_LOW = 5
const COLUMNS = 6

const KINDS: readonly Kind[] = ['file', 'directory', 'symlink']
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
      const flags = this.#table.get(slot, FLAGS)
      if (this.#table.get(slot, CREATED) === created && (flags & LIVE) !== 0 && Math.floor(flags / FOLDER) === number) return true
    }
    return false
  }

  /** What the event at a revision makes of the paths that it touches. */
  apply(folder: string, event: FileEvent, revision: number): void {
    if (event.type === 'FileMoved') this.#put(folder, event.from, revision, event.fileId, undefined)
    this.#put(folder, event.path, revision, event.fileId, event.type === 'FileDeleted' ? undefined : event.content)
  }

  #put(folder: string, path: SyncPath, revision: number, fileId: FileId, content: Content | undefined): void {
    const table = this.#table
    const slot = table.add(this.#key(folder, path))
    const flags = table.get(slot, FLAGS)
    const kind = content === undefined ? flags & KIND_MASK : KINDS.indexOf(content.kind)
    table.set(slot, REVISION, revision)
    table.set(slot, CREATED, createdIn(fileId))
    table.set(slot, FLAGS, kind + (content === undefined ? 0 : LIVE) + this.#numberOf(folder) * FOLDER)
    if (content !== undefined) {
      table.set(slot, HASH_HIGH, Number.parseInt(content.hash.slice(0, 8), 16))
      table.set(slot, HASH_LOW, Number.parseInt(content.hash.slice(8, HASH_DIGITS), 16))
    }
    this.#count(folder, path, (content === undefined ? 0 : 1) - ((flags & LIVE) === 0 ? 0 : 1))
  }

  /** How many live in a folder: one more, or one less. */
  #count(folder: string, path: SyncPath, difference: number): void {
    const parent = difference === 0 ? undefined : parentOf(path)
    if (parent === undefined) return
    const slot = this.#table.add(this.#key(folder, parent))
    this.#table.set(slot, CHILDREN, Math.max(0, this.#table.get(slot, CHILDREN) + difference))
  }

  #read(slot: Slot): Known {
    const table = this.#table
    const flags = table.get(slot, FLAGS)
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
    const name = `${this.#numberOf(folder)}/${path}`
    const known = this.#keys.get(name)
    if (known !== undefined) return known
    if (this.#keys.size >= MAX_KEYS) this.#keys.clear()
    const key = keyOfText(name)
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

const hex = (word: number): string => word.toString(16).padStart(8, '0')
