import fc from 'fast-check'
import type { FileSystem } from '../../../src/filesystem/port.ts'

/** One call, as data, for comparing two file systems. Descriptors are numbered in the order of their opening. */
export type Call =
  | { readonly call: 'open'; readonly path: string; readonly flags: 'r' | 'wx' | 'r+' }
  | { readonly call: 'write'; readonly fd: number; readonly text: string; readonly position: number }
  | { readonly call: 'read' | 'fstat' | 'close'; readonly fd: number }
  | { readonly call: 'truncate'; readonly fd: number; readonly size: number }
  | { readonly call: 'lstat' | 'readdir' | 'readlink' | 'unlink' | 'mkdir' | 'rmdir'; readonly path: string }
  | { readonly call: 'link' | 'rename'; readonly path: string; readonly to: string }
  | { readonly call: 'symlink'; readonly target: string; readonly path: string }
  | { readonly call: 'chmod'; readonly path: string; readonly mode: number }
  | { readonly call: 'utimes'; readonly path: string; readonly ns: bigint }

const short = fc.constantFrom('a', 'b', 'd', 'd/a', 'd/b', 'd/e', 'd/e/a', 'l', 'l/a', 'A')
const path = fc.oneof({ arbitrary: short, weight: 20 }, fc.constant('x'.repeat(256)))
const fd = fc.nat(4)

export const call: fc.Arbitrary<Call> = fc.oneof(
  fc.record({ call: fc.constant('open' as const), path, flags: fc.constantFrom('r', 'wx', 'r+') }),
  fc.record({ call: fc.constant('write' as const), fd, text: fc.constantFrom('hello', 'x'), position: fc.nat(6) }),
  fc.record({ call: fc.constantFrom('read', 'fstat', 'close'), fd }),
  fc.record({ call: fc.constant('truncate' as const), fd, size: fc.nat(8) }),
  fc.record({ call: fc.constantFrom('lstat', 'readdir', 'readlink', 'unlink', 'mkdir', 'rmdir'), path }),
  fc.record({ call: fc.constantFrom('mkdir'), path }),
  fc.record({ call: fc.constantFrom('link', 'rename'), path: short, to: short }),
  fc.record({ call: fc.constant('symlink' as const), target: fc.constantFrom('a', 'd', 'l', '../a', 'nowhere'), path }),
  fc.record({ call: fc.constant('chmod' as const), path, mode: fc.constantFrom(0o644, 0o755) }),
  fc.record({ call: fc.constant('utimes' as const), path, ns: fc.bigInt(1_000_000_000n, 2_000_000_000_000n) }),
)

/** Runs calls on a file system, and tells what came of each in a form that two file systems can agree on. */
export class Runner {
  readonly #fs: FileSystem
  readonly #descriptors: (number | undefined)[] = []
  readonly #inodes = new Map<bigint, number>()

  constructor(fs: FileSystem) {
    this.#fs = fs
  }

  run(call: Call): string {
    try {
      return JSON.stringify(this.#run(call) ?? null)
    } catch (error) {
      if (error instanceof Error && 'code' in error) return String(error.code)
      throw error
    }
  }

  #run(call: Call): unknown {
    const fs = this.#fs
    switch (call.call) {
      case 'open':
        return void this.#descriptors.push(fs.open(call.path, call.flags))
      case 'write':
        return fs.write(this.#at(call.fd), Buffer.from(call.text), call.position)
      case 'read':
        return this.#read(this.#at(call.fd))
      case 'fstat':
        return this.#stat(fs.fstat(this.#at(call.fd)))
      case 'close':
        return this.#close(call.fd)
      case 'truncate':
        return fs.truncate(this.#at(call.fd), call.size)
      case 'lstat':
        return this.#stat(fs.lstat(call.path))
      case 'readdir':
        return fs
          .readdir(call.path)
          .map((entry) => entry.raw)
          .toSorted()
      case 'readlink':
        return fs.readlink(call.path)
      case 'unlink':
        return fs.unlink(call.path)
      case 'mkdir':
        return fs.mkdir(call.path, 0o755)
      case 'rmdir':
        return fs.rmdir(call.path)
      case 'link':
        return fs.link(call.path, call.to)
      case 'rename':
        return fs.rename(call.path, call.to)
      case 'symlink':
        return fs.symlink(call.target, call.path)
      case 'chmod':
        return fs.chmod(call.path, call.mode)
      case 'utimes':
        return fs.utimes(call.path, call.ns)
    }
  }

  #at(index: number): number {
    return this.#descriptors[index] ?? 1_000_000
  }

  #close(index: number): void {
    this.#fs.close(this.#at(index))
    this.#descriptors[index] = undefined
  }

  closeAll(): void {
    for (const fd of this.#descriptors) if (fd !== undefined) this.#fs.close(fd)
  }

  #read(fd: number): string {
    const buffer = Buffer.alloc(64)
    const pieces: string[] = []
    let at = 0
    for (;;) {
      const count = this.#fs.read(fd, buffer, at)
      if (count === 0) return pieces.join('')
      pieces.push(buffer.toString('utf8', 0, count))
      at += count
    }
  }

  /** Sizes and link counts of directories differ between real file systems; of times, only one that was set can be compared. */
  #stat(stat: ReturnType<FileSystem['lstat']>): unknown {
    const seen = this.#inodes.get(stat.ino) ?? this.#inodes.size
    this.#inodes.set(stat.ino, seen)
    const old = stat.mtimeNs < 10_000_000_000_000n ? String(stat.mtimeNs / 1000n) : 'now'
    return stat.kind === 'directory'
      ? [stat.kind, stat.mode & 0o777, old]
      : [stat.kind, stat.size, stat.kind === 'symlink' ? 0 : stat.mode & 0o777, stat.nlink, old]
  }

  /** Which of two names lead to one inode. */
  sameInode(a: string, b: string): string {
    const ino = (path: string): bigint | undefined => {
      try {
        return this.#fs.lstat(path).ino
      } catch {
        return undefined
      }
    }
    const first = ino(a)
    return String(first !== undefined && first === ino(b))
  }
}
