import { realpathSync } from 'node:fs'
import { basename, dirname, join, resolve, sep } from 'node:path'

/** The real path of what may not exist yet: that of its nearest existing ancestor, and the rest as given. */
export const realPathOf = (path: string): string => {
  const absolute = resolve(path)
  try {
    return realpathSync(absolute)
  } catch {
    const parent = dirname(absolute)
    return parent === absolute ? absolute : join(realPathOf(parent), basename(absolute))
  }
}

/** Whether `path` is `directory` or lies under it; both real paths. */
export const isWithin = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(directory.endsWith(sep) ? directory : directory + sep)

export const overlaps = (a: string, b: string): boolean => isWithin(a, b) || isWithin(b, a)
