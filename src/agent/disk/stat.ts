import type { FileStat } from '../../filesystem/port.ts'
import type { Kind } from '../../domain/content.ts'
import type { Seen } from './port.ts'

const OWNER_EXECUTES = 0o100

export const isExecutable = (mode: number): boolean => (mode & OWNER_EXECUTES) !== 0

/** A stat as the index keeps it. Nothing of a directory but its being there counts: its size and times change with its entries. */
export const seenOf = (stat: FileStat, kind: Kind): Seen => ({
  kind,
  size: kind === 'directory' ? 0 : stat.size,
  mtime: String(stat.mtimeNs),
  ctime: String(stat.ctimeNs),
  inode: String(stat.ino),
  executable: kind === 'file' && isExecutable(stat.mode),
})

/** The same inode, as it was but for its ctime (which our own links and renames change). */
export const sameInode = (stat: FileStat, expect: Seen): boolean => {
  if (stat.kind !== expect.kind || String(stat.ino) !== expect.inode) return false
  if (stat.kind === 'directory') return true
  const executable = stat.kind === 'file' && isExecutable(stat.mode)
  return stat.size === expect.size && String(stat.mtimeNs) === expect.mtime && executable === expect.executable
}

/**
 * What the plan saw is still there. The ctime finds a write that put the old time back; it can't speak of a file with several links,
 * since linking one of them (a staged move) changes the ctime of all.
 */
export const unchanged = (stat: FileStat, expect: Seen): boolean =>
  sameInode(stat, expect) && (stat.kind === 'directory' || stat.nlink > 1 || String(stat.ctimeNs) === expect.ctime)

/** Two looks at one open or named file: nothing in between. */
export const sameStat = (a: FileStat, b: FileStat): boolean =>
  a.kind === b.kind && a.ino === b.ino && a.dev === b.dev && a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs

/** A file's permission bits with or without execution: by whom may read it, as `chmod +x` and the umask would have it. Never setuid. */
export const modeFor = (mode: number, executable: boolean): number => {
  if (isExecutable(mode) === executable) return mode & 0o777
  return executable ? (mode & 0o777) | ((mode & 0o444) >> 2) : mode & 0o666
}
