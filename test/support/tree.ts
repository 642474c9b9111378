import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Everything that is kept of a folder, one line a path, in order: kind, executable bit, modification time (to the microsecond), size, hash or target.
 * Directories' times are not kept.
 */
export const treeOf = (root: string): string[] => list(root, '').toSorted()

const list = (root: string, directory: string): string[] =>
  readdirSync(join(root, directory)).flatMap((name) => {
    const path = directory === '' ? name : `${directory}/${name}`
    if (path === '.eventsync') return []
    const { isDirectory, line } = entry(join(root, path))
    return [`${JSON.stringify(path)} ${line}`, ...(isDirectory ? list(root, path) : [])]
  })

const entry = (file: string): { readonly isDirectory: boolean; readonly line: string } => {
  const stat = lstatSync(file, { bigint: true })
  if (stat.isDirectory()) return { isDirectory: true, line: 'directory' }
  if (stat.isSymbolicLink()) return { isDirectory: false, line: `symlink ${stat.mtimeNs / 1000n} -> ${JSON.stringify(readlinkSync(file))}` }
  const executable = (stat.mode & 0o100n) === 0n ? '' : ' executable'
  return {
    isDirectory: false,
    line: `file${executable} ${stat.mtimeNs / 1000n} ${stat.size} ${createHash('sha256').update(readFileSync(file)).digest('hex')}`,
  }
}

/** The paths alone. */
export const pathsOf = (root: string): string[] =>
  treeOf(root).map((line) => {
    // Each line begins with its path as JSON.
    const end = /^"(?:[^"\\]|\\.)*"/.exec(line)
    return JSON.parse(end?.[0] ?? '""') as string
  })

/** Number of regular files. */
export const filesIn = (root: string): number => treeOf(root).filter((line) => /^"(?:[^"\\]|\\.)*" file/.test(line)).length
