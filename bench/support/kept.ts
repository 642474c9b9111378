import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const PREFIX = 'eventsync-bench-'

/** A directory for one run of the benchmarks, named after the process that uses it. */
export const newRoot = (dir: string): string => realpathSync(mkdtempSync(join(dir, `${PREFIX}${process.pid}-`)))

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** What runs that are over have left. */
export const keptIn = (dir: string): string[] =>
  readdirSync(dir)
    .filter((name) => name.startsWith(PREFIX) && !isRunning(Number(name.slice(PREFIX.length).split('-')[0])))
    .map((name) => join(dir, name))

/**
 * Removes what runs have left. Never done before or after measuring: ext4 without a journal looks past each inode that was deleted within the last
 * 60 s (360 s where it was not written back yet), so that for so long a run would measure that, and a floor of few files less of it than the product.
 */
export const clean = (dir: string): number => {
  const kept = keptIn(dir)
  for (const directory of kept) rmSync(directory, { recursive: true, force: true })
  return kept.length
}
