import type { Inode } from '../filesystem/inode.ts'

const IGNORE_FILE = '.eventsyncignore'

/** Names that the ignore files of a tree list; the model's users write nothing but plain names into them. */
export const ignoredIn = (tree: ReadonlyMap<string, Inode>): ((path: string) => boolean) => {
  const rules = new Map<string, ReadonlySet<string>>()
  for (const [path, inode] of tree) {
    if (inode.kind !== 'file' || (path !== IGNORE_FILE && !path.endsWith(`/${IGNORE_FILE}`))) continue
    rules.set(path.slice(0, -IGNORE_FILE.length), new Set(inode.data.toString().toLowerCase().split('\n')))
  }
  return (path) => {
    for (const [prefix, names] of rules) {
      if (
        path.startsWith(prefix) &&
        path
          .slice(prefix.length)
          .split('/')
          .some((name) => names.has(name.toLowerCase()))
      )
        return true
    }
    return false
  }
}
