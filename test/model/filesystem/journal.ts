import type { Random } from '../random.ts'
import type { Attributes, Entry, Inode } from './inode.ts'

interface Link {
  readonly directory: Inode
  readonly key: string
  readonly entry: Entry | undefined
}

interface Operation {
  readonly number: number
  readonly links: readonly Link[]
  readonly attributes: readonly { readonly inode: Inode; readonly values: Attributes }[]
}

const valuesOf = (inode: Inode): Attributes => ({ mode: inode.mode, mtimeNs: inode.mtimeNs, ctimeNs: inode.ctimeNs })

const setAttributes = (inode: Inode, values: Attributes, number: number): void => {
  if (number < inode.durable.since) return
  inode.durable.attributes = values
  inode.durable.since = number
}

/**
 * What a power cut leaves, as ext4 with ordered data and delayed allocation would: operations on names and attributes are committed in the order they were
 * made, each whole (a rename shows its old or its new name), so a cut keeps a prefix of them; the bytes of files go to disk on their own, whenever they like.
 */
export class Journal {
  #next = 0
  #pending: Operation[] = []
  readonly #dirty = new Set<Inode>()

  /** Records one atomic operation: what became of each name (undefined: removed), and the inodes whose attributes it changed. */
  record(links: readonly Link[], touched: readonly Inode[]): void {
    this.#pending.push({ number: this.#next++, links, attributes: touched.map((inode) => ({ inode, values: valuesOf(inode) })) })
  }

  wrote(inode: Inode): void {
    inode.dirty = true
    inode.leastSize = Math.min(inode.leastSize, inode.data.length)
    this.#dirty.add(inode)
  }

  /** fsync: the bytes and attributes are durable, its name is not. */
  syncInode(inode: Inode): void {
    setAttributes(inode, valuesOf(inode), this.#next++)
    inode.durable.data = inode.data
    inode.leastSize = inode.data.length
    inode.dirty = false
    this.#dirty.delete(inode)
  }

  /** fsync of a directory: everything up to its last change is committed. */
  syncDirectory(directory: Inode): void {
    this.#commit(this.#pending.findLastIndex((operation) => operation.links.some((link) => link.directory === directory)) + 1)
  }

  syncAll(): void {
    this.#commit(this.#pending.length)
    for (const inode of this.#dirty) this.syncInode(inode)
  }

  /** Cuts the power: makes the live state what the disk holds then. Returns the inodes that are reachable from the roots. */
  cut(roots: readonly Inode[], random: Random): ReadonlySet<Inode> {
    this.#commit(random.int(this.#pending.length + 1))
    this.#pending = []
    const reached = new Set<Inode>()
    for (const root of roots) this.#restore(root, reached)
    for (const inode of reached) this.#restoreContent(inode, random)
    this.#dirty.clear()
    return reached
  }

  #commit(count: number): void {
    for (const operation of this.#pending.splice(0, count)) {
      for (const { directory, key, entry } of operation.links) {
        if (entry === undefined) directory.durable.entries.delete(key)
        else directory.durable.entries.set(key, entry)
      }
      for (const { inode, values } of operation.attributes) setAttributes(inode, values, operation.number)
    }
  }

  #restore(directory: Inode, reached: Set<Inode>): void {
    reached.add(directory)
    directory.entries.clear()
    for (const [key, entry] of directory.durable.entries) {
      directory.entries.set(key, entry)
      if (!reached.has(entry.inode)) {
        entry.inode.links.clear()
        if (entry.inode.kind === 'directory') this.#restore(entry.inode, reached)
        else reached.add(entry.inode)
      }
      entry.inode.links.add(entry)
    }
  }

  #restoreContent(inode: Inode, random: Random): void {
    const live = valuesOf(inode)
    Object.assign(inode, inode.durable.attributes)
    if (inode.dirty) {
      const { data, attributes } = remains(inode, live, random)
      inode.data = data
      Object.assign(inode, attributes)
    }
    inode.opens = 0
    this.syncInode(inode)
  }
}

/** What is left of bytes that were not synced: all, nothing, a part, the old ones, or the old ones under the new times. */
const remains = (inode: Inode, live: Attributes, random: Random): { data: Buffer; attributes: Attributes } => {
  const { data, attributes } = inode.durable
  const old = data.length > inode.leastSize ? data.subarray(0, inode.leastSize) : data
  switch (random.int(4)) {
    case 0:
      return { data: inode.data, attributes: live }
    case 1:
      return { data: inode.data.subarray(0, random.int(inode.data.length + 1)), attributes: live }
    case 2:
      return { data: old, attributes: live }
    default:
      return { data, attributes }
  }
}
