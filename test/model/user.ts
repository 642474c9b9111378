import { dirname } from 'node:path/posix'
import { OWN_DIRECTORY } from '../../src/domain/path.ts'
import { SystemError } from './filesystem/errors.ts'
import type { Inode } from './filesystem/inode.ts'
import type { SimDisk } from './filesystem/sim-disk.ts'
import type { Text, UserOperation, Where, Writing } from './schedule.ts'

/** Texts for users: unique ones tagged with who wrote them, and all that were written, so that old ones can come back. */
export class Texts {
  readonly #old: Buffer[] = []

  make(text: Text, device: string): Buffer {
    const made = this.#make(text, device)
    this.#old.push(made)
    return made
  }

  #make(text: Text, device: string): Buffer {
    switch (text.tag) {
      case 'fresh':
        return fresh(`${device}${this.#old.length}`, text.size)
      case 'equal':
        return Buffer.from(`equal${text.nth}`)
      case 'empty':
        return Buffer.alloc(0)
      case 'old':
        return this.#old[text.nth % Math.max(1, this.#old.length)] ?? Buffer.from('old')
    }
  }
}

const LENGTHS = { short: 0, long: 240, large: 140_000 } as const

const fresh = (tag: string, size: keyof typeof LENGTHS): Buffer => {
  const text = `${tag}.`
  return Buffer.from(size === 'short' ? text : text.repeat(Math.ceil(LENGTHS[size] / text.length)))
}

/** The steps of one operation: each runs at once, and gives the milliseconds until the next. */
export type Steps = Generator<number, void>

/** A person, and the programs that they run, in one device's folder: every step is what a few system calls do. */
export class User {
  readonly #disk: SimDisk
  readonly #texts: Texts
  readonly #device: string

  constructor(disk: SimDisk, texts: Texts, device: string) {
    this.#disk = disk
    this.#texts = texts
    this.#device = device
  }

  *perform(operation: UserOperation): Steps {
    switch (operation.tag) {
      case 'write':
        return yield* this.#write(operation)
      case 'hold':
        return yield* this.#hold(operation)
      case 'cycle':
        return yield* this.#cycle(operation)
      default:
        return this.#atOnce(operation)
    }
  }

  #atOnce(operation: Exclude<UserOperation, { tag: 'write' | 'hold' | 'cycle' }>): void {
    switch (operation.tag) {
      case 'remove':
        return this.#remove(this.existing(operation.at))
      case 'removeTree':
        return this.removeTree(this.existing(operation.at, 'directory'))
      case 'move':
        return this.#move(operation.from, operation.to)
      case 'mkdir':
        return this.#makeParents(`${this.#path(operation.at)}/x`)
      case 'replace':
        return this.#replace(this.existing(operation.at), operation.by)
      case 'symlink':
        return this.#symlink(this.#path(operation.at), operation.target)
      case 'link':
        return this.#link(this.existing(operation.from, 'file'), this.#path(operation.to))
      case 'chmod':
        return this.#chmod(this.existing(operation.at, 'file'))
      case 'touch':
        return this.#touch(this.existing(operation.at), operation.agoMs)
      case 'copy':
        return this.#copy(this.existing(operation.from, 'file'), this.#path(operation.to), operation.keepsTime)
      case 'respell':
        return this.#respell(this.existing(operation.at), operation.form)
      case 'ignore':
        return this.#ignore(operation.directory, operation.names)
      case 'special':
        return this.#special(operation.name)
      case 'sync':
        return this.#disk.syncAll()
    }
  }

  /** Every path in the folder, as `find` lists them. */
  paths(kind?: Inode['kind']): string[] {
    const found: string[] = []
    const root = this.#disk.root
    if (root !== undefined) collect(root.cover ?? root, '', kind, found)
    return found
  }

  removeTree(path: string | undefined): void {
    if (path === undefined) return
    for (const { name } of this.#disk.readdir(path)) {
      if (name === undefined) continue
      const inside = `${path}/${name}`
      if (this.#disk.lstat(inside).kind === 'directory') this.removeTree(inside)
      else this.#disk.unlink(inside)
    }
    this.#disk.rmdir(path)
  }

  /** `rm -rf` of everything in the folder. */
  emptyRoot(marker: boolean): void {
    for (const { name } of [...(this.#disk.root?.entries.values() ?? [])]) {
      if (name === OWN_DIRECTORY && !marker) continue
      if (this.#disk.lstat(name).kind === 'directory') this.removeTree(name)
      else this.#disk.unlink(name)
    }
  }

  *#write(operation: Extract<UserOperation, { tag: 'write' }>): Steps {
    const path = this.#path(operation.at)
    const text = this.#texts.make(operation.text, this.#device)
    this.#makeParents(path)
    yield* this.#writeAs(operation.how, path, text, operation.pause)
    if (operation.synced) this.#sync(path)
  }

  *#writeAs(how: Writing, path: string, text: Buffer, pause: number): Steps {
    const disk = this.#disk
    switch (how) {
      case 'atOnce':
        return this.#put(path, text)
      case 'append':
        return this.#into(path, (fd) => disk.write(fd, text, disk.fstat(fd).size))
      case 'overwrite':
        return this.#into(path, (fd) => disk.write(fd, text, 0))
      case 'twoSteps':
        this.#put(path, Buffer.alloc(0))
        yield pause
        return this.#into(path, (fd) => disk.write(fd, text, 0))
      case 'renamed':
        this.#put(`${path}.tmp`, text)
        yield pause
        return disk.rename(`${path}.tmp`, path)
      case 'backup':
        if (this.#isThere(path)) disk.rename(path, `${path}~`)
        yield pause
        this.#put(path, text)
        yield pause
        if (this.#isThere(`${path}~`)) disk.unlink(`${path}~`)
    }
  }

  *#hold(operation: Extract<UserOperation, { tag: 'hold' }>): Steps {
    const path = this.existing(operation.at, 'file')
    if (path === undefined) return
    const fd = this.#disk.open(path, 'r+')
    for (let count = 0; count < operation.writes; count++) {
      yield operation.pause
      const text = this.#texts.make({ tag: 'fresh', size: 'short' }, this.#device)
      this.#disk.write(fd, text, count % 2 === 0 ? this.#disk.fstat(fd).size : 0)
    }
    this.#disk.close(fd)
  }

  /** Each takes the next one's name: a swap of two, a cycle of three. */
  *#cycle(operation: Extract<UserOperation, { tag: 'cycle' }>): Steps {
    const paths = [...new Set(operation.nths.map((nth) => this.existing({ nth })))].filter((path) => path !== undefined)
    const [first] = paths
    if (first === undefined || paths.length < 2 || paths.some((path) => paths.some((other) => path.startsWith(`${other}/`)))) return
    this.#disk.rename(first, `${first}.swap`)
    for (const [index, path] of paths.slice(1).entries()) {
      yield operation.pause
      // `index` counts the paths before this one.
      this.#disk.rename(path, paths[index] as string)
    }
    yield operation.pause
    this.#disk.rename(`${first}.swap`, paths.at(-1) ?? first)
  }

  #put(path: string, text: Buffer): void {
    this.#into(path, (fd) => {
      this.#disk.truncate(fd, 0)
      this.#disk.write(fd, text, 0)
    })
  }

  #into(path: string, use: (fd: number) => void): void {
    const fd = this.#disk.open(path, this.#isThere(path) ? 'r+' : 'wx')
    try {
      use(fd)
    } finally {
      this.#disk.close(fd)
    }
  }

  #sync(path: string): void {
    this.#into(path, (fd) => this.#disk.fsync(fd))
    this.#disk.fsyncDirectory(dirname(path) === '.' ? '' : dirname(path))
  }

  #remove(path: string | undefined): void {
    if (path === undefined) return
    if (this.#disk.lstat(path).kind === 'directory') this.#disk.rmdir(path)
    else this.#disk.unlink(path)
  }

  #move(from: Where, to: Where): void {
    const source = this.existing(from)
    if (source === undefined) return
    const target = this.#path(to)
    this.#makeParents(target)
    this.#disk.rename(source, target)
  }

  #replace(path: string | undefined, by: 'file' | 'directory' | 'symlink'): void {
    if (path === undefined) return
    if (this.#disk.lstat(path).kind === 'directory') this.removeTree(path)
    else this.#disk.unlink(path)
    if (by === 'directory') this.#disk.mkdir(path, 0o755)
    else if (by === 'symlink') this.#disk.symlink('a', path)
    else this.#put(path, this.#texts.make({ tag: 'fresh', size: 'short' }, this.#device))
    if (by === 'directory') this.#put(`${path}/a`, this.#texts.make({ tag: 'fresh', size: 'short' }, this.#device))
  }

  #symlink(path: string, target: string): void {
    this.#makeParents(path)
    this.#disk.symlink(target, path)
  }

  #link(from: string | undefined, to: string): void {
    if (from !== undefined) this.#disk.link(from, to)
  }

  #chmod(path: string | undefined): void {
    if (path !== undefined) this.#disk.chmod(path, this.#disk.lstat(path).mode ^ 0o111)
  }

  #touch(path: string | undefined, agoMs: number): void {
    if (path !== undefined && this.#disk.lstat(path).kind !== 'directory')
      this.#disk.utimes(path, this.#disk.lstat(path).mtimeNs - BigInt(agoMs) * 1_000_000n + 1_234_567n)
  }

  #copy(from: string | undefined, to: string, keepsTime: boolean): void {
    if (from === undefined || from === to) return
    this.#makeParents(to)
    const { size, mtimeNs } = this.#disk.lstat(from)
    const text = Buffer.alloc(size)
    const fd = this.#disk.open(from, 'r')
    for (let at = 0; at < size;) at += this.#disk.read(fd, text.subarray(at), at)
    this.#disk.close(fd)
    this.#put(to, text)
    if (keepsTime) this.#disk.utimes(to, mtimeNs)
  }

  #respell(path: string | undefined, form: 'case' | 'unicode'): void {
    if (path === undefined) return
    const name = path.slice(path.lastIndexOf('/') + 1)
    const directory = path.slice(0, path.length - name.length)
    const upper = name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase()
    const composed = name === name.normalize('NFC') ? name.normalize('NFD') : name.normalize('NFC')
    this.#disk.rename(path, directory + (form === 'case' ? upper : composed))
  }

  #ignore(directory: string, names: readonly string[]): void {
    const path = directory === '' ? '.eventsyncignore' : `${directory}/.eventsyncignore`
    this.#makeParents(path)
    this.#put(path, Buffer.from(names.map((name) => `${name}\n`).join('')))
  }

  #special(name: string): void {
    if (name === 'socket') this.#disk.makeSpecial(name)
    else this.#put(name, this.#texts.make({ tag: 'fresh', size: 'short' }, this.#device))
  }

  #makeParents(path: string): void {
    for (let cut = path.indexOf('/'); cut >= 0; cut = path.indexOf('/', cut + 1)) {
      const parent = path.slice(0, cut)
      if (!this.#isThere(parent)) this.#disk.mkdir(parent, 0o755)
    }
  }

  #isThere(path: string): boolean {
    try {
      this.#disk.lstat(path)
      return true
    } catch (error) {
      if (error instanceof SystemError && error.code === 'ENOENT') return false
      throw error
    }
  }

  /** The path that a `Where` means, if there is something (of that kind). */
  existing(where: Where, kind?: Inode['kind']): string | undefined {
    if ('name' in where)
      return this.#isThere(where.name) && (kind === undefined || this.#disk.lstat(where.name).kind === kind) ? where.name : undefined
    const paths = this.paths(kind)
    return paths[where.nth % paths.length]
  }

  #path(where: Where): string {
    return 'name' in where ? where.name : (this.existing(where) ?? 'a')
  }
}

const collect = (directory: Inode, prefix: string, kind: Inode['kind'] | undefined, found: string[]): void => {
  for (const { name, inode } of directory.entries.values()) {
    if (name === OWN_DIRECTORY && prefix === '') continue
    if (kind === undefined || inode.kind === kind) found.push(prefix + name)
    if (inode.kind === 'directory') collect(inode.cover ?? inode, `${prefix}${name}/`, kind, found)
  }
}
