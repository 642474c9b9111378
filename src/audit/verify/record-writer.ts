import type { Change } from '../../domain/change.ts'
import type { Chunk } from '../../domain/content.ts'
import type { FileEvent, FolderId } from '../../domain/events.ts'
import { parentOf, type SyncPath } from '../../domain/path.ts'
import { createLatest } from '../../lib/latest.ts'
import { fileIdOf } from '../../protocol/event-ids.ts'
import type { FileChange } from './judge.ts'
import {
  BASE,
  CHUNK_WORDS,
  CHUNKS,
  CREATE,
  CREATED,
  DELETE,
  FLAGS,
  FROM,
  FROM_HAS_PARENT,
  FROM_PARENT,
  HAS_PARENT,
  HASH_HIGH,
  HASH_LOW,
  KEY_WORDS,
  KIND_SHIFT,
  MESSAGE,
  MOVE,
  NO_FILE,
  OTHER,
  PARENT,
  PATH,
  REVISION,
  STREAM,
  UPDATE,
  WHOLE,
  WORDS,
} from './records.ts'
import { hexWord, keyOfHash, type TableKey } from './table.ts'
import { createdIn, keyOfPath, KINDS } from './tree.ts'

/** Where an event stands. */
interface Place {
  /** The stream's place in the segment's list. */
  readonly stream: number
  readonly folder: FolderId
  readonly revision: number
  /** It begins a message. */
  readonly begins: boolean
}

export interface Records {
  readonly records: Uint32Array<ArrayBuffer>
  readonly chunks: Uint32Array<ArrayBuffer>
}

const TYPES = { FileCreated: CREATE, FileUpdated: UPDATE, FileMoved: MOVE, FileDeleted: DELETE } as const
const LIMIT = 2 ** 32

type DirectoryKeys = (folder: FolderId, path: SyncPath) => TableKey

/** Directories whose keys are at hand. */
const MAX_KEYS = 16_384

/** Keys of directories, which are those of many files. */
export const createDirectoryKeys = (): DirectoryKeys => {
  const known = createLatest<string, TableKey>(MAX_KEYS)
  return (folder, path) => {
    const name = `${folder}/${path}`
    const before = known.get(name)
    if (before !== undefined) return before
    const key = keyOfPath(folder, path)
    known.set(name, key)
    return key
  }
}

/** Writes the records of a segment, in the order of its events. */
export class RecordWriter {
  readonly #records: Uint32Array<ArrayBuffer>
  #end = 0
  #chunks: Uint32Array<ArrayBuffer>
  #chunksEnd = 0
  readonly #directoryKey: DirectoryKeys
  readonly #prefixes = new Map<FolderId, string>()
  /** Streams in which something was made beside the next change: that is judged with it. */
  readonly #beside = new Set<number>()

  constructor(events: number, directoryKey: DirectoryKeys) {
    this.#directoryKey = directoryKey
    this.#records = new Uint32Array(events * WORDS)
    this.#chunks = new Uint32Array(2 * events * CHUNK_WORDS)
  }

  other(stream: number, revision: number): void {
    this.#begin(OTHER, stream, revision)
  }

  /** An event that touches no path, and begins a message. */
  note(stream: number, revision: number): void {
    this.#begin(NO_FILE | MESSAGE, stream, revision)
  }

  /** `whole`: the event has to go along. */
  file({ stream, folder, revision, begins }: Place, event: FileEvent, change: Change | undefined): 'plain' | 'whole' {
    const message = begins ? MESSAGE : 0
    const hadBeside = this.#beside.delete(stream)
    if (change === undefined) this.#beside.add(stream)
    if (hadBeside || !isPlain(event, change, revision, this.#prefixOf(folder))) {
      this.#begin(WHOLE | message, stream, revision)
      return 'whole'
    }
    const at = this.#begin(0, stream, revision)
    const records = this.#records
    records[at + CREATED] = createdIn(event.fileId)
    records[at + BASE] = event.type === 'FileCreated' ? 0 : event.base
    const hasParent = this.#putPath(folder, event.path, at + PATH, at + PARENT, HAS_PARENT)
    const moved = event.type === 'FileMoved' ? this.#putPath(folder, event.from, at + FROM, at + FROM_PARENT, FROM_HAS_PARENT) : 0
    const kind = event.type === 'FileDeleted' ? 0 : this.#putContent(at, event)
    records[at + FLAGS] = TYPES[event.type] | message | hasParent | moved | kind
    return 'plain'
  }

  finish(): Records {
    return { records: this.#records.slice(0, this.#end), chunks: this.#chunks.slice(0, this.#chunksEnd) }
  }

  #begin(flags: number, stream: number, revision: number): number {
    const at = this.#end
    this.#end += WORDS
    this.#records[at + FLAGS] = flags
    this.#records[at + STREAM] = stream
    this.#records[at + REVISION] = revision
    return at
  }

  /** The path's key and its directory's; the flag where it has one. */
  #putPath(folder: FolderId, path: SyncPath, key: number, parent: number, flag: number): number {
    this.#records.set(keyOfPath(folder, path), key)
    const above = parentOf(path)
    if (above === undefined) return 0
    this.#records.set(this.#directoryKey(folder, above), parent)
    return flag
  }

  #putContent(at: number, { content }: Exclude<FileEvent, { type: 'FileDeleted' }>): number {
    const { hash, kind, manifest } = content
    this.#records[at + HASH_HIGH] = hexWord(hash, 0)
    this.#records[at + HASH_LOW] = hexWord(hash, 8)
    if (manifest.tag === 'chunks') {
      this.#records[at + CHUNKS] = manifest.chunks.length
      for (const chunk of manifest.chunks) this.#putChunk(chunk)
    }
    return KINDS.indexOf(kind) << KIND_SHIFT
  }

  #putChunk({ hash, size }: Chunk): void {
    if (this.#chunksEnd === this.#chunks.length) {
      const larger = new Uint32Array(2 * this.#chunks.length)
      larger.set(this.#chunks)
      this.#chunks = larger
    }
    this.#chunks.set(keyOfHash(hash), this.#chunksEnd)
    this.#chunks[this.#chunksEnd + KEY_WORDS] = size
    this.#chunksEnd += CHUNK_WORDS
  }

  #prefixOf(folder: FolderId): string {
    const known = this.#prefixes.get(folder)
    if (known !== undefined) return known
    const prefix = fileIdOf(folder, 0).slice(0, 16)
    this.#prefixes.set(folder, prefix)
    return prefix
  }
}

/** Whether an event did with its change what is mostly done, so that all that is left to see is the tree before it. */
const isPlain = (event: FileEvent, change: Change | undefined, revision: number, prefix: string): boolean => {
  if (change === undefined || !('path' in change) || event.path !== change.path) return false
  if (!event.fileId.startsWith(prefix) || createdIn(event.fileId) >= LIMIT || revision >= LIMIT) return false
  if (event.type === 'FileDeleted') return change.tag === 'delete' && isOnBase(event.base, change)
  if (change.tag === 'delete' || event.content !== change.content || event.content.manifest.tag !== 'chunks') return false
  switch (event.type) {
    case 'FileCreated':
      return change.tag !== 'move' && typeof change.base !== 'number' && createdIn(event.fileId) === revision
    case 'FileUpdated':
      return change.tag !== 'move' && isOnBase(event.base, change)
    case 'FileMoved':
      return change.tag === 'move' && event.from === change.from && isOnBase(event.base, change)
  }
}

const isOnBase = (base: number, change: FileChange): boolean => (change.base === 'any' || change.base === base) && base < LIMIT
