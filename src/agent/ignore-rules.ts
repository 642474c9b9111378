import ignore, { type Ignore } from 'ignore'
import { ancestorsOf, type SyncPath } from '../domain/path.ts'
import { sha256 } from '../protocol/hash.ts'

/** The name of the files that list what does not sync (gitignore's syntax, for their own folder and below); they sync themselves. */
export const IGNORE_FILE = '.eventsyncignore'

/** The rules of all ignore files of one folder. Held in memory: one small object an ignore file. */
export class IgnoreRules {
  readonly #byDirectory = new Map<SyncPath | '', { readonly text: string; readonly rules: Ignore }>()

  /** Takes the text of a directory's ignore file (undefined: there is none); tells whether that changed anything. */
  set(directory: SyncPath | '', text: string | undefined): boolean {
    const known = this.#byDirectory.get(directory)?.text
    if (known === text) return false
    if (text === undefined) this.#byDirectory.delete(directory)
    else this.#byDirectory.set(directory, { text, rules: ignore({ allowRelativePaths: true, ignorecase: false }).add(text) })
    return true
  }

  has(directory: SyncPath | ''): boolean {
    return this.#byDirectory.has(directory)
  }

  /** One text for the same rules; empty where there are none. */
  get fingerprint(): string {
    if (this.#byDirectory.size === 0) return ''
    const all = [...this.#byDirectory].toSorted(([a], [b]) => (a < b ? -1 : 1))
    return sha256(JSON.stringify(all.map(([directory, { text }]) => [directory, text])))
  }

  /** As in git, what lies under an ignored directory is ignored, whatever deeper rules say. */
  ignores(path: SyncPath, isDirectory: boolean): boolean {
    if (this.#byDirectory.size === 0) return false
    return ancestorsOf(path).some((ancestor) => this.#matches(ancestor, true)) || this.#matches(path, isDirectory)
  }

  #matches(path: SyncPath, isDirectory: boolean): boolean {
    let ignored = false
    for (const directory of ['' as const, ...ancestorsOf(path)]) {
      const found = this.#byDirectory.get(directory)
      if (found === undefined) continue
      const relative = directory === '' ? path : path.slice(directory.length + 1)
      const verdict = found.rules.test(isDirectory ? `${relative}/` : relative)
      if (verdict.ignored) ignored = true
      if (verdict.unignored) ignored = false
    }
    return ignored
  }
}
