import type { DirectoryName, FileStat, FileSystem } from '../../../src/filesystem/port.ts'
import type { Random } from '../random.ts'
import { fail } from './errors.ts'
import { newInode, parentOf, pathOf, statOf, type Entry, type Inode, type InodeKind } from './inode.ts'
import { Journal } from './journal.ts'
import { directoryAt, inodeAt, placeOf, uncovered, type Place, type Tree } from './lookup.ts'
import { escaped, isUtf8, keyOf, type Folding } from './names.ts'

export interface DiskTraits {
  readonly folding: Folding
  /** How coarse the clock is that times are taken from, and the times that can be stored, in nanoseconds. */
  readonly clockTickNs: bigint
  readonly storedTickNs: bigint
  /** The number of a deleted inode is the next one's, as on ext4. */
  readonly reusesInodes: boolean
  /** link(2) works. */
  readonly hardLinks: boolean
  /** Most bytes that one read of a small file gives (it is read in pieces, between which others may write). */
  readonly readSize: number
}

/** A name that went or came, with its path below the root (undefined: it is not there, or not now). */
export interface Named {
  readonly path: string | undefined
  readonly inode: Inode
}

/** Told of every change, after it was made. */
export interface DiskObserver {
  /** Names that went and came in one atomic step. */
  names(call: string, removed: readonly Named[], added: readonly Named[]): void
  /** The bytes of a file changed. */
  bytes(inode: Inode, before: Buffer): void
  /** The mode or the modification time was set. */
  attributes(inode: Inode): void
  /** Its stat (by that path) or its bytes were read. */
  looked(inode: Inode, path?: string): void
  /** A call changed what is at `actual` by another spelling of its name. */
  inexact(call: string, asked: string, actual: Named): void
}

const SMALL_FILE = 4096

type Access = 'read' | 'write' | 'both'

interface Descriptor {
  readonly inode: Inode
  readonly access: Access
  readonly owner: unknown
}

/** One device's file system, in memory: POSIX semantics, and what a power cut leaves (journal.ts). */
export class SimDisk implements FileSystem, Tree {
  root: Inode | undefined
  readonly outside: Inode
  readonly key: (name: string) => string
  readonly traits: DiskTraits
  /** Bytes that can still be written; creating a name needs one. */
  space = Number.POSITIVE_INFINITY
  /** Whose descriptors are opened now. */
  owner: unknown = undefined
  readonly #stamp: () => bigint
  readonly #observer: DiskObserver
  readonly #journal = new Journal()
  readonly #descriptors = new Map<number, Descriptor>()
  readonly #dev: bigint
  readonly #home: Inode
  readonly #covers = new Set<Inode>()
  #nextInode = 2n
  #freed: bigint[] = []
  #nextDescriptor = 3

  constructor(traits: DiskTraits, dev: bigint, nowNs: () => bigint, observer: DiskObserver) {
    this.traits = traits
    this.key = keyOf(traits.folding)
    this.#dev = dev
    this.#stamp = () => tick(tick(nowNs(), traits.clockTickNs), traits.storedTickNs)
    this.#observer = observer
    this.#home = this.#newInode('directory', 0o755)
    this.root = this.#home
    this.outside = this.#newInode('directory', 0o755)
  }

  lstat(path: string): FileStat {
    return this.#stat(inodeAt(this, 'lstat', path), path)
  }

  readdir(path: string): readonly DirectoryName[] {
    const entries = [...directoryAt(this, 'readdir', path).entries.values()]
    return entries.map(({ name }) => (isUtf8(name) ? { name, raw: name } : { name: undefined, raw: escaped(name) }))
  }

  readlink(path: string): string {
    const inode = inodeAt(this, 'readlink', path)
    return inode.kind === 'symlink' ? inode.data.toString() : fail('EINVAL', 'readlink', path)
  }

  open(path: string, flags: 'r' | 'wx' | 'r+'): number {
    if (flags === 'wx') return this.#descriptor(this.#create('open', path, 'file', 0o644), 'write')
    const inode = inodeAt(this, 'open', path)
    if (inode.kind === 'symlink') fail('ELOOP', 'open', path)
    if (inode.kind === 'other') fail('ENXIO', 'open', path)
    if (inode.kind === 'directory' && flags === 'r+') fail('EISDIR', 'open', path)
    if (flags === 'r+') this.#checkSpelling('open', placeOf(this, 'open', path))
    return this.#descriptor(inode, flags === 'r' ? 'read' : 'both')
  }

  fstat(fd: number): FileStat {
    return this.#stat(this.#file(fd, 'fstat').inode)
  }

  read(fd: number, buffer: Uint8Array, position: number): number {
    const { inode, access } = this.#file(fd, 'read')
    if (access === 'write') fail('EBADF', 'read', String(fd))
    if (inode.kind === 'directory') fail('EISDIR', 'read', String(fd))
    const most = inode.data.length > SMALL_FILE ? buffer.length : this.traits.readSize
    const piece = inode.data.subarray(position, position + Math.min(buffer.length, most))
    buffer.set(piece)
    this.#observer.looked(inode)
    return piece.length
  }

  write(fd: number, buffer: Uint8Array, position: number): void {
    const { inode, access } = this.#file(fd, 'write')
    if (access === 'read') fail('EBADF', 'write', String(fd))
    if (buffer.length === 0) return
    const growth = Math.max(0, position + buffer.length - inode.data.length)
    const kept = growth <= this.space ? buffer : buffer.subarray(0, Math.max(0, inode.data.length + this.space - position))
    const data = Buffer.alloc(kept.length === 0 ? inode.data.length : Math.max(inode.data.length, position + kept.length))
    data.set(inode.data)
    data.set(kept, kept.length === 0 ? 0 : position)
    this.space -= data.length - inode.data.length
    this.#setData(inode, data)
    if (kept.length < buffer.length) fail('ENOSPC', 'write', String(fd))
  }

  truncate(fd: number, size: number): void {
    const { inode, access } = this.#file(fd, 'ftruncate')
    if (access === 'read') fail('EINVAL', 'ftruncate', String(fd))
    const growth = Math.max(0, size - inode.data.length)
    if (growth > this.space) fail('ENOSPC', 'ftruncate', String(fd))
    this.space -= growth
    const data = Buffer.alloc(size)
    data.set(inode.data.subarray(0, size))
    this.#setData(inode, data)
  }

  fsync(fd: number): void {
    const { inode } = this.#file(fd, 'fsync')
    if (inode.kind === 'directory') this.#journal.syncDirectory(inode)
    else this.#journal.syncInode(inode)
  }

  close(fd: number): void {
    const { inode } = this.#file(fd, 'close')
    this.#descriptors.delete(fd)
    inode.opens--
    this.#release(inode)
  }

  link(existing: string, path: string): void {
    const inode = inodeAt(this, 'link', existing)
    const place = this.#free('link', path)
    if (place.directory.dev !== inode.dev) fail('EXDEV', 'link', path)
    if (inode.kind === 'directory' || !this.traits.hardLinks) fail('EPERM', 'link', existing)
    inode.ctimeNs = this.#stamp()
    this.#add('link', place, inode)
  }

  rename(from: string, to: string): void {
    const source = placeOf(this, 'rename', from)
    const target = placeOf(this, 'rename', to)
    const moved = source.entry?.inode ?? fail('ENOENT', 'rename', from)
    this.#checkRename(source, target, moved)
    if (target.entry?.inode === moved && source.entry !== target.entry) return
    this.#checkSpelling('rename', source)
    if (target.entry !== source.entry) this.#checkSpelling('rename', target)
    this.#rename(source, target, moved)
  }

  unlink(path: string): void {
    const place = placeOf(this, 'unlink', path)
    const inode = place.entry?.inode ?? fail('ENOENT', 'unlink', path)
    if (inode.kind === 'directory') fail('EISDIR', 'unlink', path)
    this.#checkSpelling('unlink', place)
    this.#remove('unlink', place, inode)
  }

  mkdir(path: string, mode: number): void {
    this.#create('mkdir', path, 'directory', mode)
  }

  rmdir(path: string): void {
    const place = placeOf(this, 'rmdir', path)
    const inode = place.entry?.inode ?? fail('ENOENT', 'rmdir', path)
    if (inode.kind !== 'directory') fail('ENOTDIR', 'rmdir', path)
    if (inode.cover !== undefined) fail('EBUSY', 'rmdir', path)
    if (inode.entries.size > 0) fail('ENOTEMPTY', 'rmdir', path)
    this.#checkSpelling('rmdir', place)
    this.#remove('rmdir', place, inode)
  }

  symlink(target: string, path: string): void {
    this.#create('symlink', path, 'symlink', 0o777, Buffer.from(target))
  }

  chmod(path: string, mode: number): void {
    const inode = inodeAt(this, 'chmod', path)
    if (inode.kind === 'symlink') fail('ELOOP', 'chmod', path)
    inode.mode = mode
    inode.ctimeNs = this.#stamp()
    this.#journal.record([], [inode])
    this.#observer.attributes(inode)
  }

  utimes(path: string, modifiedNs: bigint): void {
    const inode = inodeAt(this, 'utimes', path)
    inode.mtimeNs = tick(tick(modifiedNs, 1000n), this.traits.storedTickNs)
    inode.ctimeNs = this.#stamp()
    this.#journal.record([], [inode])
    this.#observer.attributes(inode)
  }

  fsyncDirectory(path: string): void {
    this.#journal.syncDirectory(directoryAt(this, 'fsync', path))
  }

  syncAll(): void {
    this.#journal.syncAll()
  }

  /** Makes a socket, which is no business of a sync tool. */
  makeSpecial(path: string): void {
    this.#create('mknod', path, 'other', 0o644)
  }

  /** Closes what a process had open (it died). */
  closeAll(owner: unknown): void {
    for (const [fd, descriptor] of this.#descriptors) if (descriptor.owner === owner) this.close(fd)
  }

  /** The disk that the root is on goes away: what is left is nothing, or the empty directory that it was mounted on. Descriptors stay open. */
  unmountRoot(leaves: 'nothing' | 'emptyDirectory'): void {
    this.root = leaves === 'nothing' ? undefined : this.#newInode('directory', 0o755, this.#dev + 1000n)
  }

  remountRoot(): void {
    this.root = this.#home
  }

  /** The folder's root while it is mounted, whatever is there now. */
  get home(): Inode {
    return this.#home
  }

  get unmounted(): boolean {
    return this.root !== this.#home
  }

  /** Mounts an empty file system on a directory. */
  mount(path: string): void {
    const inode = placeOf(this, 'mount', path).entry?.inode
    if (inode?.kind !== 'directory' || inode.cover !== undefined) return
    inode.cover = this.#newInode('directory', 0o755, this.#dev + 2000n)
    this.#covers.add(inode)
  }

  unmountAll(): void {
    for (const inode of this.#covers) inode.cover = undefined
    this.#covers.clear()
  }

  /** Cuts the power and brings the file system up again, in what state the disk is left. */
  powerCut(random: Random): void {
    this.#descriptors.clear()
    this.unmountAll()
    const reached = this.#journal.cut([this.#home, this.outside], random)
    const used = new Set([...reached].map((inode) => inode.ino))
    this.#freed = this.#freed.filter((ino) => !used.has(ino))
  }

  #stat(inode: Inode, path?: string): FileStat {
    this.#observer.looked(inode, path)
    return statOf(inode)
  }

  #newInode(kind: InodeKind, mode: number, dev = this.#dev, data?: Buffer): Inode {
    const ino = (this.traits.reusesInodes ? this.#freed.pop() : undefined) ?? this.#nextInode++
    return newInode(kind, ino, dev, mode, this.#stamp(), data)
  }

  #create(call: string, path: string, kind: InodeKind, mode: number, data?: Buffer): Inode {
    const place = this.#free(call, path)
    const inode = this.#newInode(kind, mode, place.directory.dev, data)
    this.#add(call, place, inode)
    return inode
  }

  /** A place where nothing is, and where there is room for a name. */
  #free(call: string, path: string): Place {
    if (path === '') return fail('EEXIST', call, path)
    const place = placeOf(this, call, path)
    if (place.entry !== undefined) fail('EEXIST', call, path)
    if (this.#unlinked(place.directory)) fail('ENOENT', call, path)
    if (this.space < 1) fail('ENOSPC', call, path)
    return place
  }

  #add(call: string, place: Place, inode: Inode): void {
    const entry = this.#setEntry(place, place.name, inode)
    this.#journal.record([{ directory: place.directory, key: place.key, entry }], [place.directory, inode])
    this.#observer.names(call, [], [{ path: this.pathOf(entry), inode }])
  }

  #remove(call: string, place: Place, inode: Inode): void {
    const removed = [{ path: this.#entryPath(place), inode }]
    this.#dropEntry(place)
    inode.ctimeNs = this.#stamp()
    this.#journal.record([{ directory: place.directory, key: place.key, entry: undefined }], [place.directory, inode])
    this.#observer.names(call, removed, [])
    this.#release(inode)
  }

  #rename(source: Place, target: Place, moved: Inode): void {
    const replaced = target.entry === source.entry ? undefined : target.entry
    const removed = [{ path: this.#entryPath(source), inode: moved }]
    if (replaced !== undefined) removed.push({ path: this.#entryPath(target), inode: replaced.inode })
    this.#dropEntry(source)
    if (replaced !== undefined) this.#dropEntry(target)
    // A file that replaces another takes over its entry, and so the spelling of its name.
    const entry = this.#setEntry(target, replaced?.name ?? target.name, moved)
    moved.ctimeNs = this.#stamp()
    const links = [{ directory: target.directory, key: target.key, entry }]
    const gone = { directory: source.directory, key: source.key, entry: undefined }
    const same = source.directory === target.directory && source.key === target.key
    this.#journal.record(same ? links : [gone, ...links], [source.directory, target.directory, moved])
    this.#observer.names('rename', removed, [{ path: this.pathOf(entry), inode: moved }])
    if (replaced !== undefined) this.#release(replaced.inode)
  }

  #checkRename(source: Place, target: Place, moved: Inode): void {
    const { path } = target
    if (source.path === '' || target.path === '') fail('EBUSY', 'rename', path)
    if (this.#unlinked(target.directory)) fail('ENOENT', 'rename', path)
    if (moved.dev !== target.directory.dev) fail('EXDEV', 'rename', path)
    if (moved.cover !== undefined) fail('EBUSY', 'rename', path)
    const there = target.entry?.inode
    if (moved.kind === 'directory' && isWithin(target.directory, moved)) fail('EINVAL', 'rename', path)
    if (there === undefined || there === moved) return
    if (there.kind === 'directory' && isWithin(source.directory, there)) fail('ENOTEMPTY', 'rename', path)
    if (there.cover !== undefined) fail('EBUSY', 'rename', path)
    if (moved.kind === 'directory' && there.kind !== 'directory') fail('ENOTDIR', 'rename', path)
    if (moved.kind !== 'directory' && there.kind === 'directory') fail('EISDIR', 'rename', path)
    if (there.entries.size > 0) fail('ENOTEMPTY', 'rename', path)
  }

  #checkSpelling(call: string, place: Place): void {
    if (place.entry === undefined || place.entry.name === place.name) return
    this.#observer.inexact(call, place.path, { path: this.#entryPath(place) ?? place.entry.name, inode: place.entry.inode })
  }

  #setEntry(place: Place, name: string, inode: Inode): Entry {
    const entry: Entry = { name, directory: place.directory, inode }
    place.directory.entries.set(place.key, entry)
    inode.links.add(entry)
    this.#touchDirectory(place.directory)
    return entry
  }

  #dropEntry(place: Place): void {
    if (place.entry === undefined) return
    place.directory.entries.delete(place.key)
    place.entry.inode.links.delete(place.entry)
    this.#touchDirectory(place.directory)
  }

  #touchDirectory(directory: Inode): void {
    directory.mtimeNs = this.#stamp()
    directory.ctimeNs = directory.mtimeNs
  }

  #setData(inode: Inode, data: Buffer): void {
    const before = inode.data
    inode.data = data
    inode.mtimeNs = this.#stamp()
    inode.ctimeNs = inode.mtimeNs
    this.#journal.wrote(inode)
    this.#observer.bytes(inode, before)
  }

  #entryPath(place: Place): string | undefined {
    return place.entry === undefined ? undefined : this.pathOf(place.entry)
  }

  /** Below the root as it is now; undefined where it is not there. */
  pathOf(entry: Entry): string | undefined {
    return this.root === undefined ? undefined : pathOf(entry, uncovered(this.root))
  }

  #unlinked(directory: Inode): boolean {
    return directory.links.size === 0 && parentOf(directory) === undefined && !this.#isTop(directory)
  }

  #isTop(directory: Inode): boolean {
    if (directory === this.root || directory === this.#home || directory === this.outside) return true
    return [...this.#covers].some((covered) => covered.cover === directory)
  }

  #descriptor(inode: Inode, access: Access): number {
    inode.opens++
    const fd = this.#nextDescriptor++
    this.#descriptors.set(fd, { inode, access, owner: this.owner })
    return fd
  }

  #file(fd: number, call: string): Descriptor {
    return this.#descriptors.get(fd) ?? fail('EBADF', call, String(fd))
  }

  #release(inode: Inode): void {
    if (inode.links.size === 0 && inode.opens === 0) this.#freed.push(inode.ino)
  }
}

const tick = (ns: bigint, size: bigint): bigint => ns - (ns % size)

const isWithin = (directory: Inode, ancestor: Inode): boolean => {
  for (let at: Inode | undefined = directory; at !== undefined; at = parentOf(at)) if (at === ancestor) return true
  return false
}
