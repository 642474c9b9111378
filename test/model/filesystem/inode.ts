import type { FileStat } from '../../../src/filesystem/port.ts'

export type InodeKind = FileStat['kind']

/** A name of a directory. */
export interface Entry {
  readonly name: string
  readonly directory: Inode
  readonly inode: Inode
}

export interface Attributes {
  mode: number
  mtimeNs: bigint
  ctimeNs: bigint
}

/** What a power cut would leave of an inode, by what was synced. */
export interface Durable {
  attributes: Attributes
  /** The journal's number of the operation that `attributes` come from. */
  since: number
  data: Buffer
  /** Of a directory: its entries as far as the journal is committed, by key. */
  readonly entries: Map<string, Entry>
}

export interface Inode extends Attributes {
  readonly ino: bigint
  readonly dev: bigint
  readonly kind: InodeKind
  /** A file's bytes, or a symlink's target; never changed in place. */
  data: Buffer
  /** Of a directory, by key (the name as this file system compares it). */
  readonly entries: Map<string, Entry>
  readonly links: Set<Entry>
  opens: number
  /** Of a directory: the root of another file system that is mounted on it. */
  cover: Inode | undefined
  readonly durable: Durable
  /** Its data differ from `durable.data`, or may. */
  dirty: boolean
  /** The smallest size since it was last synced: a power cut may leave it that short. */
  leastSize: number
}

const NO_DATA = Buffer.alloc(0)

export const newInode = (kind: InodeKind, ino: bigint, dev: bigint, mode: number, now: bigint, data: Buffer = NO_DATA): Inode => {
  const attributes = { mode, mtimeNs: now, ctimeNs: now }
  return {
    ...attributes,
    ino,
    dev,
    kind,
    data,
    entries: new Map(),
    links: new Set(),
    opens: 0,
    cover: undefined,
    durable: { attributes, since: -1, data: kind === 'symlink' ? data : NO_DATA, entries: new Map() },
    dirty: false,
    leastSize: 0,
  }
}

const linkCount = (inode: Inode): number => {
  if (inode.kind !== 'directory') return inode.links.size
  let count = 2
  for (const entry of inode.entries.values()) if (entry.inode.kind === 'directory') count++
  return count
}

export const statOf = (inode: Inode): FileStat => ({
  kind: inode.kind,
  size: inode.kind === 'directory' ? 4096 : inode.data.length,
  mtimeNs: inode.mtimeNs,
  ctimeNs: inode.ctimeNs,
  ino: inode.ino,
  dev: inode.dev,
  mode: inode.mode,
  nlink: linkCount(inode),
})

/** The directory that holds a directory (which has one name at most). */
export const parentOf = (directory: Inode): Inode | undefined => {
  for (const entry of directory.links) return entry.directory
  return undefined
}

/** The path of an entry below `root`; undefined where it is not under it. */
export const pathOf = (entry: Entry, root: Inode | undefined): string | undefined => {
  let path = entry.name
  let directory = entry.directory
  while (directory !== root) {
    const [up] = directory.links
    if (up === undefined) return undefined
    path = `${up.name}/${path}`
    directory = up.directory
  }
  return path
}
