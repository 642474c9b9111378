import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const PIECE = 64 * 1024

/** A file system of its own in memory, so small that it can be filled. Needs root, as CI has it. */
export class SmallDisk implements Disposable {
  readonly path: string
  #mounted = true

  constructor(path: string, megabytes: number) {
    this.path = path
    mkdirSync(path, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path])
  }

  get #ballast(): string {
    return join(this.path, '.ballast')
  }

  /** Takes all the space that is left but `spare` bytes. */
  fill(spare = 0): void {
    const file = openSync(this.#ballast, 'a')
    try {
      for (let size = PIECE; size >= 512; size /= 2) while (this.#wrote(file, size)) continue
    } finally {
      closeSync(file)
    }
    if (spare > 0) execFileSync('truncate', ['-s', `-${spare}`, this.#ballast])
  }

  /** Makes it larger. */
  grow(megabytes: number): void {
    execFileSync('mount', ['-o', `remount,size=${megabytes}m`, this.path])
  }

  free(): void {
    rmSync(this.#ballast, { force: true })
  }

  unmount(): void {
    execFileSync('umount', ['-l', this.path])
    this.#mounted = false
  }

  [Symbol.dispose](): void {
    if (this.#mounted) this.unmount()
  }

  #wrote(file: number, size: number): boolean {
    try {
      return writeSync(file, Buffer.alloc(size)) === size
    } catch {
      return false
    }
  }
}
