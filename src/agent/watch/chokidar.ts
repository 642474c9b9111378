import { lstatSync, readdirSync, type Stats } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import { FSWatcher, type ChokidarOptions } from 'chokidar'
import * as E from 'fp-ts/lib/Either.js'
import { OWN_DIRECTORY, parsePath, type SyncPath } from '../../domain/path.ts'
import { eventQueueLimit, limitAdvice } from './limits.ts'
import type { Hint, Watch } from './port.ts'

type Emit = (hint: Hint) => void
type Skip = (path: SyncPath) => boolean
type Leaves = (absolute: string, stats?: Stats) => boolean

/** The directories that chokidar watches, by their absolute paths. */
type Directories = Set<string>

const pathOf = (root: string, absolute: string): SyncPath | undefined => {
  if (!absolute.startsWith(root === '/' ? root : `${root}/`)) return undefined
  const path = parsePath(absolute.slice(root === '/' ? 1 : root.length + 1))
  return E.isRight(path) ? path.right : undefined
}

const statOf = (path: string): Stats | undefined => {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

/**
 * What chokidar leaves alone: all but directories. It would keep every file's name, and look at a file (by a promise and a thread) for
 * every event: in a burst four times the work of everything else here. Directories that are skipped, EventSync's own, and other devices'
 * (unknown to the scan, too) need no watching.
 */
const leaving = (root: string, directories: Directories, skip: Skip): Leaves => {
  const device = statOf(`${root}/`)?.dev
  const own = `${root}/${OWN_DIRECTORY}`
  const ownEnd = `${root}/${basename(root)}`
  return (absolute, known) => {
    // The root's own end is told as a change of its name within it; and where it is missing, chokidar waits for it above.
    if (absolute === root || absolute === ownEnd || root.startsWith(`${absolute}/`)) return false
    if (known === undefined && directories.has(absolute)) return false
    const stats = known ?? statOf(absolute)
    if (stats?.isDirectory() !== true || stats.dev !== device || absolute === own) return true
    const path = pathOf(root, absolute)
    return path === undefined || skip(path)
  }
}

/**
 * The directories in a directory, as chokidar's scanner tells of entries; it learns nothing of files, and so costs no look at each of them.
 */
async function* scan(directory: string, leaves: Leaves): AsyncGenerator<object> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const fullPath = join(directory, entry.name)
    const stats = entry.isDirectory() ? statOf(fullPath) : undefined
    if (stats !== undefined && !leaves(fullPath, stats)) yield { path: entry.name, basename: entry.name, fullPath, stats }
  }
}

/**
 * chokidar for directories. Two of its inner methods are replaced (its version is pinned, and the tests show when they change):
 * `isIgnored`, because in the option `ignored` a backslash has become a slash, so that a directory with one in its name could not be told
 * from another; and the scanner, because chokidar's looks at every file: for 100,000 of them 3 s of this thread and 100 MB.
 */
class DirectoryWatcher extends FSWatcher {
  readonly #leaves: Leaves

  constructor(leaves: Leaves, options: ChokidarOptions) {
    super(options)
    this.#leaves = leaves
  }

  override isIgnored(absolute: string, stats?: Stats): boolean {
    return this.#leaves(absolute, stats)
  }

  /** chokidar asks it of what an event names, before anything else: a file's event ends here. */
  override isUnwatched(absolute: string): boolean {
    return this.#leaves(absolute)
  }

  override createScanStream(directory: string): ReturnType<FSWatcher['createScanStream']> {
    if (this.closed) return undefined
    // chokidar uses of its stream what every Readable has.
    const stream = Readable.from(scan(directory, this.#leaves)) as NonNullable<ReturnType<FSWatcher['createScanStream']>>
    this.streams.add(stream)
    stream.once('close', () => this.streams.delete(stream))
    return stream
  }
}

/** The directory that an event was seen in, by what chokidar hands along with it. */
const watchedPath = (details: unknown): string =>
  typeof details === 'object' && details !== null && 'watchedPath' in details && typeof details.watchedPath === 'string'
    ? details.watchedPath
    : ''

/**
 * Tells once a turn of the event loop when that brings as many events as the kernel's queue holds: then it has been full, and some are
 * lost.
 */
const overflowAlarm = (emit: Emit): (() => void) => {
  const limit = eventQueueLimit()
  let count = 0
  return () => {
    count += 1
    if (count === 1) setImmediate(() => (count = 0))
    if (count === limit) emit({ tag: 'everything', reason: 'more changes at once than the system keeps events for' })
  }
}

/** Hints come straight from the system's events. */
const hintAtEvents = (watcher: FSWatcher, at: (absolute: string) => void, emit: Emit): void => {
  const note = overflowAlarm(emit)
  watcher.on('raw', (_event, name, details) => {
    note()
    const directory = watchedPath(details)
    at(name === null ? directory : `${directory}/${name}`)
  })
}

const namesIn = (directory: string): readonly string[] => {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

/**
 * Keeps the set of directories, and hints at all that a new one held before it was watched: chokidar tells of it in the turn in which it
 * watches it.
 */
const followDirectories = (
  watcher: FSWatcher,
  root: string,
  directories: Directories,
  at: (absolute: string) => void,
  emit: Emit,
): void => {
  let ready = false
  watcher.once('ready', () => (ready = true))
  watcher.on('addDir', (directory) => {
    directories.add(directory)
    if (!ready) return
    setImmediate(() => {
      if (directory === root) emit({ tag: 'everything', reason: 'the folder is back' })
      at(directory)
      for (const name of namesIn(directory)) at(`${directory}/${name}`)
    })
  })
  watcher.on('unlinkDir', (directory) => {
    directories.delete(directory)
    if (directory === root) emit({ tag: 'everything', reason: 'the folder itself is gone' })
    at(directory)
  })
}

const hintAtErrors = (watcher: FSWatcher, emit: Emit): void => {
  let limited = false
  watcher.on('error', (error) => {
    const advice = limitAdvice(error)
    if (advice === undefined) return emit({ tag: 'everything', reason: `watching failed: ${String(error)}` })
    if (!limited) emit({ tag: 'limited', advice })
    limited = true
  })
}

/** What is told of a path several times in one turn of the event loop (it was made, written to, closed) is one hint, when all of it is known. */
const onceATurn = (emit: Emit): ((path: SyncPath) => void) => {
  const told = new Set<SyncPath>()
  const tell = (): void => {
    const paths = [...told]
    told.clear()
    for (const path of paths) emit({ tag: 'path', path })
  }
  return (path) => {
    if (told.size === 0) setImmediate(tell)
    told.add(path)
  }
}

/** Turns what a watcher of `root` tells into hints. */
export const listen = (watcher: FSWatcher, root: string, directories: Directories, emit: Emit): void => {
  const hint = onceATurn(emit)
  const at = (absolute: string): void => {
    const path = pathOf(root, absolute)
    if (path !== undefined) hint(path)
  }
  hintAtEvents(watcher, at, emit)
  followDirectories(watcher, root, directories, at, emit)
  hintAtErrors(watcher, emit)
}

/**
 * Watches a folder (an absolute, real path) by chokidar: one watch a directory, none through a symlink. chokidar watches a directory before it
 * reads it, so that at its `ready` none has been missed.
 */
export const chokidarWatch = (root: string): Watch => ({
  start: async (hint, skip) => {
    let open = true
    const emit: Emit = (one) => {
      if (open) hint(one)
    }
    const directories: Directories = new Set()
    // "atomic" would leave out names that editors use, and hold back events by 100 ms.
    const watcher = new DirectoryWatcher(leaving(root, directories, skip), {
      followSymlinks: false,
      atomic: false,
      ignorePermissionErrors: true,
    })
    listen(watcher, root, directories, emit)
    watcher.add(root)
    await new Promise<void>((resolve) => watcher.once('ready', resolve))
    return {
      [Symbol.asyncDispose]: async () => {
        open = false
        await watcher.close()
      },
    }
  },
})
