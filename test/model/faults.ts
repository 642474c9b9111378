import { fail } from './filesystem/errors.ts'

/** What makes an agent's calls to its disk fail for a while. (A full disk is the disk's own doing: `SimDisk.space`.) */
export class DiskFaults {
  readonly #denied = new Set<string>()
  #callsToError = Number.POSITIVE_INFINITY

  deny(path: string): void {
    this.#denied.add(path)
  }

  allow(): void {
    this.#denied.clear()
  }

  /** The so-manieth call from now on fails with an I/O error. */
  failIn(calls: number): void {
    this.#callsToError = calls
  }

  end(): void {
    this.allow()
    this.failIn(Number.POSITIVE_INFINITY)
  }

  check(call: string, paths: readonly string[]): void {
    const path = paths[0] ?? ''
    if (--this.#callsToError <= 0) {
      this.failIn(Number.POSITIVE_INFINITY)
      fail('EIO', call, path)
    }
    for (const denied of this.#denied) {
      const opens = call !== 'lstat' && paths.includes(denied)
      if (opens || paths.some((each) => each.startsWith(`${denied}/`))) fail('EACCES', call, path)
    }
  }
}
