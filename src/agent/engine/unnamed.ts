import type { SyncPath } from '../../domain/path.ts'
import type { Problem } from './folder-sync.types.ts'

const NOT_UTF8 = 'the name is not UTF-8, so no other device could be told of it'
const TOO_LONG = 'the path is longer than 4,096 bytes, which no other device could be told of'

/** Why a path that the disk holds has no {@link SyncPath}. */
export const whyUnnamed = (shown: string): string => (Buffer.byteLength(shown) > 4096 ? TOO_LONG : NOT_UTF8)

const LIMIT = 10_000

/** Names that no path can hold (not UTF-8), as they are shown to people, by directory. Bounded (I16). */
export class Unnamed {
  readonly #names = new Set<string>()

  /** Takes a name in; gives it as it is shown where it is news. */
  add(directory: SyncPath | '', raw: string): string | undefined {
    const shown = directory === '' ? raw : `${directory}/${raw}`
    if (this.#names.has(shown) || this.#names.size >= LIMIT) return undefined
    this.#names.add(shown)
    return shown
  }

  clear(): void {
    this.#names.clear()
  }

  list(): Problem[] {
    return [...this.#names].map((path) => ({ path, reason: whyUnnamed(path) }))
  }
}
