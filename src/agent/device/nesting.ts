import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { OWN_DIRECTORY } from '../../domain/path.ts'

/** The file by which a gateway's data directory is known. */
export const DATA_MARKER = 'eventsync-data.json'

/** A synced folder or a gateway's data directory, found at or above or inside another place (I15). */
export interface Neighbour {
  readonly path: string
  readonly what: 'a synced folder' | "a gateway's data directory"
}

const neighbourAt = (path: string): Neighbour | undefined => {
  if (existsSync(join(path, OWN_DIRECTORY))) return { path, what: 'a synced folder' }
  if (existsSync(join(path, DATA_MARKER))) return { path, what: "a gateway's data directory" }
  return undefined
}

/** The nearest synced folder or data directory that `path` lies in; `path` itself does not count. */
export const neighbourAbove = (path: string): Neighbour | undefined => {
  const parent = dirname(path)
  if (parent === path) return undefined
  return neighbourAt(parent) ?? neighbourAbove(parent)
}

/** The first synced folder or data directory found inside `root`; what can't be listed is passed over. */
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
