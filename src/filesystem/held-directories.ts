import * as fs from 'node:fs'

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = fs.constants

/** Linux's own names for what this process has open. */
const OPEN = '/proc/self/fd'

/** So many directories are open at once (I16). */
const MOST = 64

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)

/** Codes that say nothing about the directory: it may not be listed, or no more can be open. */
const isOfNoMatter = (error: unknown): boolean => ['EACCES', 'EPERM', 'EMFILE', 'ENFILE'].includes(String(codeOf(error)))

let known: boolean | undefined

const isAtHand = (): boolean => (known ??= process.platform === 'linux' && fs.existsSync(OPEN))

/**
 * Directories that were opened once, with no symlink followed on the way: what is done in one through its descriptor is done there, whatever has taken its
 * name since (I11). Where a system can't do that, or a directory can't be opened, the path stands for itself.
 */
export class HeldDirectories {
  readonly #base: string
  readonly #descriptors = new Map<string, number>()

  constructor(base: string) {
    this.#base = base
  }

  /** Before a call, whose names hold until its end: others may take the numbers of descriptors that are closed here. */
  begin(): void {
    if (this.#descriptors.size >= MOST) this.forget()
  }

  /** A name for `path` by which the system finds it in the directory that was opened. */
  at(path: string): string {
    const cut = path.lastIndexOf('/')
    if (cut < 0 || !isAtHand()) return this.#base + path
    const descriptor = this.#opened(path.slice(0, cut))
    return descriptor === undefined ? this.#base + path : `${OPEN}/${descriptor}${path.slice(cut)}`
  }

  #opened(directory: string): number | undefined {
    const held = this.#descriptors.get(directory)
    if (held !== undefined) return held
    const at = this.at(directory)
    try {
      const descriptor = fs.openSync(at, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
      this.#descriptors.set(directory, descriptor)
      return descriptor
    } catch (error) {
      if (isOfNoMatter(error)) return undefined
      throw error
    }
  }

  /** Directories were moved or removed: what is opened from now on is what has their names then. */
  forget(): void {
    for (const descriptor of this.#descriptors.values()) fs.closeSync(descriptor)
    this.#descriptors.clear()
  }
}
