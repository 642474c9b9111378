import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DATA_MARKER, OWN_DIRECTORY, STATE_MARKER } from '../../domain/path.ts'

/** A synced folder, a gateway's data directory or a device's state directory, found at or above or inside another place (I15). */
export interface Neighbour {
  readonly path: string
  readonly what: 'a synced folder' | "a gateway's data directory" | "a device's state directory"
}

const neighbourAt = (path: string): Neighbour | undefined => {
  if (existsSync(join(path, OWN_DIRECTORY))) return { path, what: 'a synced folder' }
  if (existsSync(join(path, DATA_MARKER))) return { path, what: "a gateway's data directory" }
  if (existsSync(join(path, STATE_MARKER))) return { path, what: "a device's state directory" }
  return undefined
}

/** The synced folder that `path` is, or lies in, however deep: what is secret must not lie there. */
export const syncedFolderAround = (path: string): string | undefined => {
  if (existsSync(join(path, OWN_DIRECTORY))) return path
  const parent = dirname(path)
  return parent === path ? undefined : syncedFolderAround(parent)
}

/** The nearest synced folder, data or state directory that `path` lies in; `path` itself does not count. */
export const neighbourAbove = (path: string): Neighbour | undefined => {
  const parent = dirname(path)
  if (parent === path) return undefined
  return neighbourAt(parent) ?? neighbourAbove(parent)
}

/** The first synced folder, data or state directory found inside `root`; what can't be listed is passed over. */
export const neighbourInside = (root: string): Neighbour | undefined => {
  const waiting = directoriesIn(root)
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const neighbour = neighbourAt(path)
    if (neighbour !== undefined) return neighbour
    for (const directory of directoriesIn(path)) waiting.push(directory)
  }
  return undefined
}

const directoriesIn = (path: string): string[] => {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== OWN_DIRECTORY)
      .map((entry) => join(path, entry.name))
  } catch {
    return []
  }
}
