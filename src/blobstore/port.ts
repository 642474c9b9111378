import type * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import type { Hash } from '../domain/content.ts'
import type { PackEntry, PackEvent } from '../domain/events.ts'

export type StoreError =
  | { readonly tag: 'NotFound'; readonly name: string }
  | { readonly tag: 'Damaged'; readonly name: string; readonly reason: string }
  | { readonly tag: 'Full'; readonly reason: string }
  | { readonly tag: 'Unavailable'; readonly reason: string }

/**
 * Named byte objects, written once. `put` is atomic (never visible in part), durable when it resolves, and idempotent: the same name with
 * the same bytes again is a success. Any number of concurrent calls; names are relative, `/`-separated, [a-z0-9/.-] only.
 */
export interface ObjectStore extends AsyncDisposable {
  put(name: string, bytes: readonly Uint8Array[]): TE.TaskEither<StoreError, void>
  /** The whole object, or `length` bytes from `offset`; a range beyond the end is Damaged. */
  get(name: string, range?: { readonly offset: number; readonly length: number }): TE.TaskEither<StoreError, Buffer>
  /** The size in bytes. */
  stat(name: string): TE.TaskEither<StoreError, number>
  list(prefix: string): AsyncIterable<{ readonly name: string; readonly size: number }>
  /** Removing what is not there is a success. */
  remove(name: string): TE.TaskEither<StoreError, void>
}

export interface NewChunk {
  readonly hash: Hash
  readonly bytes: Uint8Array
  /** The bytes were checked against the hash since they came into this process: `put` need not do it again. */
  readonly checked?: true
}

/** A pack, or a chunk's object of its own, by its hash. */
export type RetiredObject = { readonly pack: string } | { readonly chunk: Hash }

/** Where the small chunks that share pack objects lie: a projection of the log's `PackStored` events. */
export interface PackIndex {
  find(hash: Hash): { readonly pack: string; readonly offset: number; readonly size: number } | undefined
  /** Whether what held the chunk was retired, and it was not stored again since: it counts as missing, whatever the store still has. */
  isGone(hash: Hash): boolean
  /** Whether an object was retired: its name is never used again. */
  isRetired(object: RetiredObject): boolean
  /** Asks many things at once, which costs less than asking each by itself. `ask` must not be asynchronous. */
  together<A>(ask: () => A): A
}

/**
 * Chunks by hash, over an {@link ObjectStore}. A chunk is an object of its own, or lies in a pack with other small chunks of its batch.
 * Every chunk is checked against its hash once when put (a mismatch is Damaged, and nothing of the batch is stored) and whenever it is read
 * from the store (Damaged counts as missing, DESIGN.md section 5). Durable when `put` resolves.
 */
export interface BlobStore {
  /** Stores the batch; returns the packs it made, whose events the caller appends before any event that names their chunks (I6). */
  put(chunks: readonly NewChunk[]): TE.TaskEither<StoreError, readonly PackEvent[]>
  /** `unchecked`: a large chunk comes as it was stored, for a reader that checks its hash. One that proves wrong is to be read again, checked. */
  get(hash: Hash, unchecked?: boolean): TE.TaskEither<StoreError, Buffer>
  /** Those of the hashes that are not stored (existence only). */
  missing(hashes: readonly Hash[]): TE.TaskEither<StoreError, readonly Hash[]>
}

/** Where a chunk lies in a pack. */
export type PackPlace = NonNullable<ReturnType<PackIndex['find']>>

/** An object as it lies in the store, under a name that this store gives; others are passed over. */
export interface StoredObject {
  readonly kind: 'chunk' | 'pack'
  readonly name: string
  /** The hash that its name promises. */
  readonly hash: Hash
  readonly size: number
}

/** The objects of a store as an audit looks at them: nothing is trusted, and nothing changed. Calls may overlap. */
export interface StoredObjects {
  /** What it is listed in, piece by piece; packs come before chunks. */
  readonly parts: readonly string[]
  /** The objects of one part, in no special order. Throws where the store can't be listed. */
  list(part: string): AsyncIterable<StoredObject>
  /** A chunk's bytes from its place in a pack, or from its own object; not checked. */
  chunk(hash: Hash, place: PackPlace | undefined): TE.TaskEither<StoreError, Buffer>
  /** All bytes of an object that was listed; not checked. */
  bytes(object: StoredObject): TE.TaskEither<StoreError, Buffer>
  /** The entries that a pack's bytes tell of; left: why they tell of none. */
  entries(pack: Buffer): E.Either<string, readonly PackEntry[]>
  /** What a pack of so many chunks with so many bytes weighs. */
  packSize(chunks: number, bytes: number): number
}

export interface SweptObject {
  readonly object: RetiredObject
  readonly bytes: number
}

/** The objects behind the chunks, for whoever frees what nothing needs. */
export interface Sweep {
  /** All of them, in no special order. Throws where the store can't be listed. */
  objects(): AsyncIterable<SweptObject>
  /** What a pack says that it holds, by its own index alone; none where it is gone or damaged. */
  chunksOf(pack: string, bytes: number): TE.TaskEither<StoreError, readonly Hash[]>
  /** The chunks that an object holds, whole ones alone; none where it is gone or damaged. */
  open(object: RetiredObject): TE.TaskEither<StoreError, readonly NewChunk[]>
  /** What is gone already is a success. */
  remove(object: RetiredObject): TE.TaskEither<StoreError, void>
}

/** A store whose objects can be freed. */
export interface SweptStore extends BlobStore {
  /** Stores chunks in packs of their own wherever else they lie: what a pack that is to go still holds. */
  copy(chunks: readonly NewChunk[]): TE.TaskEither<StoreError, readonly PackEvent[]>
  readonly sweep: Sweep
}
