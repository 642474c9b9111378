import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { DATA_MARKER, OWN_DIRECTORY, STATE_MARKER } from '../../domain/path.ts'
import { lockFile } from '../../lib/file-lock.ts'
import { saveFile } from '../../lib/save-file.ts'
import { attempt, deviceError, type DeviceError } from './error.ts'
import { neighbourAbove, neighbourInside } from './nesting.ts'
import { isWithin, overlaps, realPathOf } from './real-path.ts'

/** One synced folder as the device's state knows it. */
export interface LocalFolder {
  /** Its real path. */
  readonly path: string
  /** Its own directory in the state: index, lock, control socket. */
  readonly directory: string
  readonly index: string
}

/** A folder that this process alone works on, until disposed. */
export interface ClaimedFolder extends LocalFolder, Disposable {
  /** It has never been synced before. */
  readonly fresh: boolean
}

/** Where the state keeps what it knows of a folder, whether or not it has been synced. */
export const folderAt = (state: string, path: string): LocalFolder => {
  const real = realPathOf(path)
  const directory = join(state, 'folders', createHash('sha256').update(real).digest('hex').slice(0, 32))
  return { path: real, directory, index: join(directory, 'index.db') }
}

const folderFile = (directory: string): string => join(directory, 'folder.json')

/** All folders that this device has synced. */
export const knownFolders = (state: string): readonly LocalFolder[] => {
  const all = join(state, 'folders')
  if (!existsSync(all)) return []
  return readdirSync(all).flatMap((name) => {
    const file = folderFile(join(all, name))
    if (!existsSync(file)) return []
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return typeof value === 'object' && value !== null && 'path' in value && typeof value.path === 'string'
      ? [folderAt(state, value.path)]
      : []
  })
}

/** The known folder that a path is, or lies in. */
export const folderHolding = (state: string, path: string): LocalFolder | undefined =>
  knownFolders(state).find((folder) => isWithin(realPathOf(path), folder.path))

/**
 * Takes a folder for this process: refuses what overlaps with another synced folder, the state or a gateway's data (I15, by real path), and a folder that another agent
 * holds, from this state directory or another. Makes the folder where it is missing and has never been synced; one that was synced and is gone stays gone.
 */
export const claimFolder = (state: string, path: string): E.Either<DeviceError, ClaimedFolder> => {
  const folder = folderAt(state, path)
  const refused = misplaced(state, folder)
  if (refused !== undefined) return deviceError('BadFolder', refused)
  return E.Monad.chain(lockState(folder), (stateLock) => {
    const locks = new DisposableStack()
    locks.use(stateLock)
    const claimed = takeRoot(folder, locks)
    if (E.isLeft(claimed)) locks.dispose()
    return claimed
  })
}

const lockState = (folder: LocalFolder): E.Either<DeviceError, Disposable> =>
  E.Monad.chain(
    attempt(`use ${folder.directory}`, () => mkdirSync(folder.directory, { recursive: true, mode: 0o700 })),
    () => lock(join(folder.directory, 'lock'), folder.path),
  )

const lock = (file: string, folder: string): E.Either<DeviceError, Disposable> =>
  E.mapLeft((error: { readonly tag: string; readonly reason?: string }): DeviceError =>
    error.tag === 'Held'
      ? { tag: 'Busy', reason: `another agent keeps ${folder} in sync already: stop it first, or ask it with 'eventsync status'` }
      : { tag: 'Unusable', reason: `cannot lock ${file}: ${error.reason ?? ''}` },
  )(lockFile(file))

const takeRoot = (folder: LocalFolder, locks: DisposableStack): E.Either<DeviceError, ClaimedFolder> => {
  const fresh = !existsSync(folder.index)
  if (fresh) {
    const inside = neighbourInside(folder.path)
    if (inside !== undefined)
      return deviceError(
        'BadFolder',
        `${folder.path} holds ${inside.path}, ${inside.what}: nothing of EventSync's can lie inside a synced folder; move one of them`,
      )
  }
  const own = join(folder.path, OWN_DIRECTORY)
  const made = attempt(`use ${folder.path}`, () => {
    if (fresh) mkdirSync(own, { recursive: true })
    if (!existsSync(folderFile(folder.directory))) saveFile(folderFile(folder.directory), `${JSON.stringify({ path: folder.path })}\n`)
  })
  if (E.isLeft(made)) return made
  // A root that has lost its own directory was replaced or unmounted: nothing is written into it (I15).
  if (existsSync(own)) {
    const rootLock = lock(join(own, 'lock'), folder.path)
    if (E.isLeft(rootLock)) return rootLock
    locks.use(rootLock.right)
  }
  return E.right({ ...folder, fresh, [Symbol.dispose]: () => locks.dispose() })
}

/** Why a folder can't be synced where it lies, or undefined. */
const misplaced = (state: string, { path }: LocalFolder): string | undefined => {
  if (existsSync(path) && !statSync(path).isDirectory()) return `${path} is not a folder`
  if (overlaps(state, path)) return `${path} and the device's state directory ${state} overlap: give the state another place with --state`
  const other = knownFolders(state).find((known) => known.path !== path && overlaps(known.path, path))
  if (other !== undefined)
    return `${path} overlaps with ${other.path}, which this device syncs too: synced folders cannot be nested (to forget the other one for good, delete ${other.directory})`
  const above = neighbourAbove(path)
  if (above !== undefined) return `${path} lies inside ${above.path}, ${above.what}: synced folders cannot be nested; move one of them`
  if (existsSync(join(path, DATA_MARKER))) return `${path} is a gateway's data directory`
  if (existsSync(join(path, STATE_MARKER))) return `${path} is a device's state directory`
  return undefined
}
