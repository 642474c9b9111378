import { readFileSync, statSync, type Stats } from 'node:fs'
import { relative } from 'node:path'
import { watch, type FSWatcher } from 'chokidar'
import { either as E } from 'fp-ts'
import { OWN_DIRECTORY, parsePath, type SyncPath } from '../../domain/path.ts'
import { limitAdvice } from './limits.ts'
import type { Hint, Watch } from './port.ts'

type Emit = (hint: Hint) => void

/** The kernel drops events without a word to us when so many wait (16,384 unless configured). */
const eventQueueLimit = (): number => {
  try {
    return Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8')) || Infinity
  } catch {
    return Infinity
  }
}

/**
 * Tells, once, when a single turn of the event loop brings as many events as the kernel's queue holds: then it has been full, and some are lost.
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

const pathOf = (root: string, absolute: string): SyncPath | undefined => {
  const path = parsePath(relative(root, absolute))
  return E.isRight(path) ? path.right : undefined
}

/** Skips EventSync's own directory, ignored directories, and other devices' (they are unknown to the scan, too). */
const skipping = (root: string, skip: (path: SyncPath) => boolean): ((absolute: string, stats?: Stats) => boolean) => {
  const device = statSync(root, { throwIfNoEntry: false })?.dev
  const own = `${root}/${OWN_DIRECTORY}`
  return (absolute, stats) => {
    if (absolute === own || absolute.startsWith(`${own}/`)) return true
    if (stats?.isDirectory() !== true || absolute === root) return false
    const path = pathOf(root, absolute)
    return stats.dev !== device || (path !== undefined && skip(path))
  }
}

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined

/** The directory that an event was seen in, by what chokidar hands along with it. */
const watchedPath = (details: unknown): string =>
  typeof details === 'object' && details !== null && 'watchedPath' in details && typeof details.watchedPath === 'string' ? details.watchedPath : ''

/**
 * Hints come straight from the system's events, without waiting for chokidar to look at the file. Its own `add…` and `unlink…` come
 * beside them: in a directory that is new they tell of what was made before the directory was watched.
 */
export const listen = (watcher: Pick<FSWatcher, 'on'>, root: string, emit: Emit): void => {
  const note = overflowAlarm(emit)
  const at = (absolute: string): void => {
    const path = pathOf(root, absolute)
    if (path !== undefined) emit({ tag: 'path', path })
  }
  watcher.on('raw', (_event, name, details) => {
    note()
    const directory = watchedPath(details)
    at(name === null ? directory : `${directory}/${name}`)
    // The root's own end is told under its own name.
    if (directory === root && root.endsWith(`/${name}`) && !isThere(root)) emit({ tag: 'everything', reason: 'the folder itself is gone' })
  })
  for (const event of ['add', 'addDir', 'unlink', 'unlinkDir'] as const) watcher.on(event, at)
  let limited = false
  watcher.on('error', (error) => {
    const advice = limitAdvice(error)
    if (advice === undefined) emit({ tag: 'everything', reason: `watching failed: ${String(error)}` })
    else if (!limited) emit({ tag: 'limited', advice })
    limited ||= advice !== undefined
  })
}

/**
 * Watches a folder (an absolute, real path) by chokidar: one watch a directory, none followed through a symlink. `start` resolves once all directories that
 * were there are watched; what changed before that is covered by a last hint to scan everything.
 */
export const chokidarWatch = (root: string): Watch => ({
  start: async (hint, skip) => {
    let open = true
    const emit: Emit = (one) => {
      if (open) hint(one)
    }
    const watcher = watch(root, {
      ignored: skipping(root, skip),
      ignoreInitial: true,
      followSymlinks: false,
      // Its "atomic" leaves out names that editors use, and holds back events by 100 ms.
      atomic: false,
      ignorePermissionErrors: true,
    })
    listen(watcher, root, emit)
    await new Promise<void>((resolve) => watcher.once('ready', resolve))
    emit({ tag: 'everything', reason: 'watching has begun' })
    return {
      [Symbol.asyncDispose]: async () => {
        open = false
        await watcher.close()
      },
    }
  },
})
