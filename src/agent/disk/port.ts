import type { Chunk, Content, Hash, Kind } from '../../domain/content.ts'
import type { SyncPath } from '../../domain/path.ts'

/** What a look at a path showed: the stat by which a later look tells whether anything has changed. Times in nanoseconds, decimal. */
export interface Seen {
  readonly kind: Kind
  readonly size: number
  readonly mtime: string
  readonly ctime: string
  readonly inode: string
  readonly executable: boolean
}

export type DiskError =
  | { readonly tag: 'NoPermission'; readonly reason: string }
  | { readonly tag: 'NoSpace'; readonly reason: string }
  /** This file system cannot hold the name (length, characters, encoding). */
  | { readonly tag: 'BadName'; readonly reason: string }
  /** Another name that this file system takes for the same is there (case, Unicode form): I14. */
  | { readonly tag: 'NameClash'; readonly with: string; readonly reason: string }
  /** A parent is missing, is no directory, or is a symlink (I11). */
  | { readonly tag: 'BadParent'; readonly reason: string }
  | { readonly tag: 'NotEmpty'; readonly reason: string }
  /** It is, or lies in, a device's state or a gateway's data: never read, never synced. */
  | { readonly tag: 'Private'; readonly reason: string }
  | { readonly tag: 'Io'; readonly reason: string }

/** What is at a path, by its exact name. 'unknown': it can't be told (a parent that can't be listed, an I/O error): nothing is planned. */
export type Look =
  | { readonly tag: 'seen'; readonly path: SyncPath; readonly seen: Seen }
  | { readonly tag: 'absent'; readonly path: SyncPath }
  /** A socket, a device node: left alone and reported. */
  | { readonly tag: 'special'; readonly path: SyncPath; readonly reason: string }
  | { readonly tag: 'unknown'; readonly path: SyncPath; readonly error: DiskError }

export interface Listing {
  readonly directory: SyncPath | ''
  /**
   * Every entry by its exact name, `.eventsync` at the root left out; or why the directory can't be listed whole (then it is unknown, not
   * empty).
   */
  readonly result:
    | { readonly tag: 'listed'; readonly entries: readonly Look[]; readonly unnameable: readonly string[] }
    | { readonly tag: 'absent' }
    | { readonly tag: 'unknown'; readonly error: DiskError }
}

/** A stable reading: stat, read and hash, stat again. */
export type Reading =
  | {
      readonly tag: 'read'
      readonly path: SyncPath
      readonly seen: Seen
      readonly content: Content
      readonly chunks: readonly Chunk[]
      /** All bytes, where the content is at most {@link INLINE_BYTES}. */
      readonly bytes: Uint8Array | undefined
    }
  /** It changed while it was read: try again later. */
  | { readonly tag: 'unstable'; readonly path: SyncPath }
  | { readonly tag: 'absent'; readonly path: SyncPath }
  | { readonly tag: 'failed'; readonly path: SyncPath; readonly error: DiskError }

/**
 * Takes a chunk of a large file while the file is still being read: the reading may yet prove unstable. The bytes stay as they are until the promise
 * resolves, which the reading may wait for.
 */
export type TakeChunk = (chunk: Chunk, bytes: Uint8Array) => Promise<void>

/** Contents up to this size travel inside Changes messages. */
export const INLINE_BYTES = 128 * 1024

/**
 * Where a piece of a staged file comes from: bytes at hand, or a place in a file of the folder (read and verified). `given`: the caller has no
 * more use for the bytes, nor for what shares their memory.
 */
export type PieceSource =
  | { readonly tag: 'bytes'; readonly bytes: Uint8Array; readonly given?: boolean }
  | { readonly tag: 'file'; readonly path: SyncPath; readonly offset: number }

/** A whole small file, with as much of its content's description as staging needs. */
export interface SmallFile {
  readonly stage: string
  readonly content: Pick<Content, 'size' | 'hash' | 'executable' | 'modified'>
  readonly bytes: Uint8Array
}

/** A file of the folder that is to be linked into the stage as it was seen, to be what `content` says under another name. */
export interface StageLink {
  readonly stage: string
  readonly path: SyncPath
  readonly expect: Seen
  readonly content: Content
}

export type StageResult =
  | { readonly tag: 'staged' }
  /** The bytes do not match the hash (a local source that has changed, a damaged chunk). */
  | { readonly tag: 'mismatch' }
  | { readonly tag: 'failed'; readonly error: DiskError }

/**
 * One step that changes the visible tree. `expect` is what the plan saw there (undefined: nothing); anything else found is 'changed' and
 * nothing is done. `grave` names the place under `.eventsync/` where the replaced or removed inode stays linked, to be looked at later.
 */
export type Step =
  /** Puts a finished staged file in place: by link(2) where nothing is expected, by rename where a file is replaced. */
  | { readonly tag: 'place'; readonly stage: string; readonly path: SyncPath; readonly expect: Seen | undefined; readonly grave: string }
  | {
      readonly tag: 'symlink'
      readonly target: string
      readonly modified: string
      readonly path: SyncPath
      readonly expect: Seen | undefined
      readonly grave: string
    }
  | { readonly tag: 'mkdir'; readonly path: SyncPath }
  | { readonly tag: 'remove'; readonly path: SyncPath; readonly expect: Seen; readonly grave: string }
  /** Metadata of a file (or the time of a symlink) whose bytes are right already. */
  | { readonly tag: 'touch'; readonly path: SyncPath; readonly expect: Seen; readonly executable: boolean; readonly modified: string }
  /** Gives a local file, symlink or directory another name (a conflict copy): never over something that exists. */
  | { readonly tag: 'aside'; readonly path: SyncPath; readonly expect: Seen; readonly to: SyncPath }

export type StepResult =
  /** `seen`: what is now at the step's path (undefined: nothing); for `aside`, at its new name. */
  | { readonly tag: 'done'; readonly seen: Seen | undefined }
  | { readonly tag: 'changed' }
  | { readonly tag: 'failed'; readonly error: DiskError }

/** What has become of an inode that was replaced or removed. */
export type GraveState =
  | { readonly tag: 'gone' }
  /** Its present stat and content hash: differs from what was buried when somebody wrote to it through an open descriptor. */
  | { readonly tag: 'there'; readonly seen: Seen; readonly hash: Hash }
  | { readonly tag: 'unstable' }

/** What was buried: an inode found like this, with a content known by its hash, is not read again unless it may have changed. */
export interface Buried {
  readonly seen: Seen
  readonly hash: Hash
}

export type RootState =
  | { readonly tag: 'ok'; readonly marker: string; readonly exactNames: boolean }
  /** Missing, not a directory, or without its marker. */
  | { readonly tag: 'missing'; readonly reason: string }
  | { readonly tag: 'unmarked'; readonly empty: boolean; readonly exactNames: boolean }

/**
 * The agent's work on one folder's disk, in coarse pieces so that it can run off the main thread. Stage and grave names are plain file
 * names under `.eventsync/` (letters, digits, `.`, `_`, `-`). Nothing follows a symlink; every call checks that the parents of a path are
 * real directories (I11). A failure of one item is data about that item. While the folder lacks its marker, nothing in it is absent: looks
 * and lists say 'unknown', reads fail (I15). Ordering: calls may overlap; steps of one `apply` run in their order. Durability: nothing is
 * durable before `persist`, `persistStages` or `syncAll` resolves.
 */
export interface Disk extends AsyncDisposable {
  root(): Promise<RootState>
  /** Writes the marker (making `.eventsync/` where needed), durably. */
  mark(marker: string): Promise<DiskError | undefined>
  look(paths: readonly SyncPath[]): Promise<readonly Look[]>
  list(directories: readonly (SyncPath | '')[]): Promise<readonly Listing[]>
  /**
   * Of a file that is read alone: `like` are the chunks of a content that it may hold, or one much like it, which makes it quicker; `take` may be given its
   * chunks, or none.
   */
  read(paths: readonly SyncPath[], like?: readonly Chunk[], take?: TakeChunk): Promise<readonly Reading[]>
  /** One piece of a file, verified; undefined where it no longer holds those bytes. */
  readPiece(path: SyncPath, offset: number, chunk: Chunk): Promise<Uint8Array | undefined>
  /**
   * Writes whole small files into the stage, metadata included. `given`: the caller has no more use for the bytes, nor for what shares their
   * memory.
   */
  stageFiles(files: readonly SmallFile[], given?: boolean): Promise<readonly StageResult[]>
  /** Writes one piece of a larger file into the stage (made where it is missing), verified. */
  stagePiece(stage: string, offset: number, chunk: Chunk, source: PieceSource): Promise<StageResult>
  /** Which of these pieces a staged file already holds (a transfer that goes on after a cut); none where there is no such file. */
  stagedPieces(stage: string, chunks: readonly Chunk[]): Promise<readonly boolean[]>
  /** Cuts to size and sets the metadata. */
  finishStage(stage: string, content: Content): Promise<StageResult>
  /**
   * Links files of the folder into the stage (moves: no copies); mismatch where one is not what was expected, or where the content has
   * another time or mode (the inode's would change at the old name too): then it is copied by pieces.
   */
  stageLinks(links: readonly StageLink[]): Promise<readonly StageResult[]>
  dropStages(stages: readonly string[]): Promise<void>
  dropGraves(graves: readonly string[]): Promise<void>
  /** The names of all stages and graves that exist (for cleaning up at start). */
  leftovers(): Promise<{ readonly stages: readonly string[]; readonly graves: readonly string[] }>
  /** fsync of each staged file where they are few, `syncAll` otherwise; and with them, what `persist` would do for these paths. */
  persistStages(stages: readonly string[], paths?: readonly SyncPath[]): Promise<DiskError | undefined>
  /** Makes these paths durable: contents and names; fsync of each where they are few, `syncAll` otherwise. */
  persist(paths: readonly SyncPath[]): Promise<DiskError | undefined>
  apply(steps: readonly Step[]): Promise<readonly StepResult[]>
  /** `buried` says, grave by grave, what is known of it; one that is not known of is read. */
  inspectGraves(graves: readonly string[], buried?: readonly (Buried | undefined)[]): Promise<readonly GraveState[]>
  /** Brings a grave's inode back as a new file of the folder (a conflict copy); 'changed' where something is there. */
  exhume(grave: string, path: SyncPath): Promise<StepResult>
}
