/** What lstat says, as far as EventSync needs it. Times in nanoseconds since the epoch. */
export interface FileStat {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other'
  readonly size: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly ino: bigint
  readonly dev: bigint
  /** Permission bits. */
  readonly mode: number
  readonly nlink: number
}

/** One name of a directory; `undefined` where the name is not UTF-8 (`raw` shows it, escaped). */
export interface DirectoryName {
  readonly name: string | undefined
  readonly raw: string
}

/**
 * The synchronous file system calls that an agent's disk work is made of, relative to one root (`''` is the root itself). Shaped like node:fs: a call that fails
 * throws an error with a `code` (ENOENT, EEXIST, ENOTEMPTY, EACCES, EPERM, ENOSPC, EDQUOT, EIO, ENAMETOOLONG, EINVAL, EILSEQ, EMLINK, EXDEV, EROFS, ELOOP …); the
 * callers in agent/disk/ turn those into tagged unions. The simulation implements it with faults, interleaved writers and power cuts.
 */
export interface FileSystem {
  lstat(path: string): FileStat
  readdir(path: string): readonly DirectoryName[]
  readlink(path: string): string
  /** Flags: 'r' to read (never follows a final symlink), 'wx' to create exclusively, 'r+' to write into what exists. */
  open(path: string, flags: 'r' | 'wx' | 'r+'): number
  fstat(fd: number): FileStat
  /** Reads into the buffer from `position`; returns the bytes read, 0 at the end. */
  read(fd: number, buffer: Uint8Array, position: number): number
  /** Writes all of the buffer at `position`. */
  write(fd: number, buffer: Uint8Array, position: number): void
  truncate(fd: number, size: number): void
  fsync(fd: number): void
  close(fd: number): void
  link(existing: string, path: string): void
  rename(from: string, to: string): void
  unlink(path: string): void
  mkdir(path: string, mode: number): void
  rmdir(path: string): void
  symlink(target: string, path: string): void
  chmod(path: string, mode: number): void
  /** Sets the modification time of a file, or of a symlink itself (never of what it leads to), to the microsecond (FACTS: pass `(floor(ns / 1000) + 0.5) / 1e6`). */
  utimes(path: string, modifiedNs: bigint): void
  /** Makes the directory's entries durable. */
  fsyncDirectory(path: string): void
  /** Makes all that was written to this file system durable (`sync -f`). */
  syncAll(): void
  /**
   * Where the system can: until it is disposed, calls that change a directory find it by itself, opened once with no symlink followed on the way, and not by its
   * path, which may lead elsewhere a moment later (I11). Calls do not nest.
   */
  hold?(): Held
}

/** Directories that are held open. */
export interface Held extends Disposable {
  /** Directories were moved or removed: each is opened anew. */
  forget(): void
}
