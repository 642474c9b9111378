import { fail } from './errors.ts'
import { parentOf, type Entry, type Inode } from './inode.ts'
import { MAX_NAME_BYTES } from './names.ts'

/** Where a path leads: a name (there or not) in a directory that is. */
export interface Place {
  readonly path: string
  readonly directory: Inode
  readonly name: string
  readonly key: string
  readonly entry: Entry | undefined
}

export interface Tree {
  readonly root: Inode | undefined
  /** What absolute symlinks, and those that climb above the root, lead to. */
  readonly outside: Inode
  readonly key: (name: string) => string
}

const MAX_SYMLINKS = 40

/** The directory behind an inode: what is mounted on it, if anything is. */
export const uncovered = (inode: Inode): Inode => inode.cover ?? inode

/** Walks paths as POSIX does: symlinks on the way are followed, the last name is not. */
class Walk {
  #followed = 0
  readonly #tree: Tree
  readonly #call: string
  readonly #path: string

  constructor(tree: Tree, call: string, path: string) {
    this.#tree = tree
    this.#call = call
    this.#path = path
  }

  directory(start: Inode, names: readonly string[]): Inode {
    return names.reduce((directory, name) => this.#step(directory, name), start)
  }

  #step(directory: Inode, name: string): Inode {
    if (name === '' || name === '.') return directory
    if (name === '..') return parentOf(directory) ?? this.#tree.outside
    const inode = directory.entries.get(this.#tree.key(name))?.inode
    if (inode === undefined) return fail(this.#missing(name), this.#call, this.#path)
    if (inode.kind === 'symlink') return this.target(directory, inode)
    return inode.kind === 'directory' ? uncovered(inode) : fail('ENOTDIR', this.#call, this.#path)
  }

  /** Follows a symlink that must lead to a directory. */
  target(directory: Inode, link: Inode): Inode {
    if (++this.#followed > MAX_SYMLINKS) fail('ELOOP', this.#call, this.#path)
    const target = link.data.toString()
    return target.startsWith('/') ? this.#tree.outside : this.directory(directory, target.split('/'))
  }

  #missing(name: string): string {
    return Buffer.byteLength(name) > MAX_NAME_BYTES ? 'ENAMETOOLONG' : 'ENOENT'
  }
}

export const placeOf = (tree: Tree, call: string, path: string): Place => {
  if (tree.root === undefined) return fail('ENOENT', call, path)
  const names = path.split('/')
  const name = names.pop() ?? ''
  const directory = new Walk(tree, call, path).directory(uncovered(tree.root), names)
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) fail('ENAMETOOLONG', call, path)
  const key = tree.key(name)
  return { path, directory, name, key, entry: directory.entries.get(key) }
}

/** The inode at a path, a final symlink itself; '' is the root. */
export const inodeAt = (tree: Tree, call: string, path: string): Inode => {
  if (tree.root === undefined) return fail('ENOENT', call, path)
  if (path === '') return uncovered(tree.root)
  const inode = placeOf(tree, call, path).entry?.inode
  return inode === undefined ? fail('ENOENT', call, path) : uncovered(inode)
}

/** The directory at a path, symlinks followed, the final one too. */
export const directoryAt = (tree: Tree, call: string, path: string): Inode => {
  if (tree.root === undefined) return fail('ENOENT', call, path)
  return new Walk(tree, call, path).directory(uncovered(tree.root), path.split('/'))
}
