import { closeSync, fsync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'

const fsyncing = promisify(fsync)

// Opened and closed without the thread pool: its entry was used a moment ago, so nothing has to be read for it.
const fsyncOf = async (directory: string): Promise<void> => {
  const fd = openSync(directory, 'r')
  try {
    await fsyncing(fd)
  } finally {
    closeSync(fd)
  }
}

/** Directories whose entries outlive a power cut. */
export interface DurableDirectories {
  /**
   * Makes a directory below `root`, and those above it; known ones cost nothing. Once it is there it may be written into: `durable` resolves when its own entry,
   * and those above it, are durable, too.
   */
  ensure(directory: string): Promise<{ readonly durable: Promise<void> }>
  /** Makes the entries durable that a directory has now. Callers that come while a sync of it is still to start share that one. */
  sync(directory: string): Promise<void>
}

export const createDurableDirectories = (root: string): DurableDirectories => {
  const known = new Map<string, ReturnType<DurableDirectories['ensure']>>([[root, Promise.resolve({ durable: Promise.resolve() })]])
  const running = new Map<string, Promise<void>>()
  const toStart = new Map<string, Promise<void>>()

  // A sync that has started may have missed an entry made since: so the next one starts after it, and is shared until then.
  const sync = (directory: string): Promise<void> => {
    const shared = toStart.get(directory)
    if (shared !== undefined) return shared
    const before = running.get(directory) ?? Promise.resolve()
    const next = before
      .catch(() => undefined)
      .then(() => {
        toStart.delete(directory)
        running.set(directory, next)
        return fsyncOf(directory)
      })
      .finally(() => running.get(directory) === next && running.delete(directory))
    toStart.set(directory, next)
    return next
  }

  // Also where the directory is there: a process that was killed may have made it without syncing its parent.
  const make: DurableDirectories['ensure'] = async (directory) => {
    const parent = dirname(directory)
    const above = await ensure(parent)
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const durable = Promise.all([above.durable, sync(parent)]).then(() => undefined)
    // Whoever writes into it waits for it; until then a failure is nobody's yet.
    durable.catch(() => known.delete(directory))
    return { durable }
  }

  const ensure: DurableDirectories['ensure'] = (directory) => {
    const made = known.get(directory)
    if (made !== undefined) return made
    const making = make(directory)
    known.set(directory, making)
    making.catch(() => known.delete(directory))
    return making
  }

  return { ensure, sync }
}
