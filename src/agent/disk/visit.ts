import type { FileStat } from '../../filesystem/port.ts'
import { diskErrorOf, io, isMissing } from './errors.ts'
import { OWN, PRIVATE, PRIVATE_MARKERS } from './own.ts'
import type { DiskError } from './port.ts'
import type { Session } from './session.ts'

/** What a path shows, by its exact name. */
export type Found =
  | { readonly tag: 'found'; readonly stat: FileStat }
  /** `alias`: another name that the file system takes for this one. */
  | { readonly tag: 'absent'; readonly alias: string | undefined }
  /** Its parent is missing, or is no real directory: then the path can't be there, and nothing may be put there (I11). */
  | { readonly tag: 'orphan'; readonly error: DiskError }
  /** It can't be told. */
  | { readonly tag: 'failed'; readonly error: DiskError }

/**
 * One call's view of the folder: what it has learned about directories is kept until it ends, so that 10,000 files of one
 * directory cost one check of their parents.
 */
export interface Visit {
  readonly session: Session
  find(path: string): Found
  /** The same, without a look whether it lies in a private place: for who lists, and sees the marker anyway. */
  findAnywhere(path: string): Found
  /** Why nothing may be put into this directory; undefined where it is a real one of this folder. */
  blocked(directory: string): Found | undefined
  /** The other name by which the file system finds `path`; undefined where it is there by its own name, or not at all. */
  alias(path: string): string | undefined
  /** Whether the folder is the one that was marked, still: what is missing in another one is not absent (I15). */
  lost(): DiskError | undefined
  /** Forgets what was learned: a step has changed directories. */
  forget(): void
}

const cut = (path: string): readonly [string, string] => {
  const at = path.lastIndexOf('/')
  return at < 0 ? ['', path] : [path.slice(0, at), path.slice(at + 1)]
}

export const folded = (name: string): string => name.normalize('NFC').toLowerCase().normalize('NFC')

const failed = (error: unknown): Found => ({ tag: 'failed', error: diskErrorOf(error) })
const orphan = (reason: string): Found => ({ tag: 'orphan', error: { tag: 'BadParent', reason } })

const lostMarker = (session: Session): DiskError | undefined => {
  try {
    session.fs.lstat(OWN.marker)
    return undefined
  } catch (error) {
    return isMissing(error) ? io('the folder has lost its marker: it is unmounted, replaced or being removed') : diskErrorOf(error)
  }
}

/** Which directories are, or lie in, a place that is never synced; what was learned is kept until it is forgotten. */
const privatePlaces = (isThere: (path: string) => boolean) => {
  const known = new Map<string, boolean>()
  const holds = (directory: string): boolean => {
    if (directory === '' || directory === OWN.directory) return false
    const before = known.get(directory)
    if (before !== undefined) return before
    const found = holds(cut(directory)[0]) || PRIVATE_MARKERS.some((marker) => isThere(`${directory}/${marker}`))
    known.set(directory, found)
    return found
  }
  return { holds, forget: () => known.clear() }
}

export const createVisit = (session: Session): Visit => {
  const { fs } = session
  const real = new Map<string, bigint>()
  const names = new Map<string, ReadonlySet<string>>()

  const namesOf = (directory: string): ReadonlySet<string> => {
    const known = names.get(directory)
    if (known !== undefined) return known
    const listed = new Set(fs.readdir(directory).flatMap(({ name }) => (name === undefined ? [] : [name])))
    names.set(directory, listed)
    return listed
  }

  const alias = (path: string): string | undefined => {
    const [directory, name] = cut(path)
    const all = namesOf(directory)
    if (all.has(name)) return undefined
    return [...all].find((other) => folded(other) === folded(name))
  }

  const blocked = (directory: string): Found | undefined => {
    if (real.has(directory)) return undefined
    const found = directory === '' ? lookAt('') : findAnywhere(directory)
    if (found.tag === 'absent') return orphan(`the folder "${directory}" is missing`)
    if (found.tag !== 'found') return found
    if (found.stat.kind !== 'directory') return orphan(`"${directory}" is not a folder`)
    if (directory !== '' && found.stat.dev !== real.get(''))
      return { tag: 'failed', error: io(`another device is mounted at "${directory}"`) }
    real.set(directory, found.stat.dev)
    return undefined
  }

  const lookAt = (path: string): Found => {
    try {
      const stat = fs.lstat(path)
      const other = path === '' || session.exactNames() ? undefined : alias(path)
      return other === undefined ? { tag: 'found', stat } : { tag: 'absent', alias: other }
    } catch (error) {
      if (path !== '' && isMissing(error)) return { tag: 'absent', alias: undefined }
      return failed(error)
    }
  }

  const findAnywhere = (path: string): Found => blocked(cut(path)[0]) ?? lookAt(path)

  const privacy = privatePlaces((path) => lookAt(path).tag === 'found')

  const find = (path: string): Found => {
    const found = findAnywhere(path)
    if (found.tag === 'orphan' || found.tag === 'failed') return found
    return privacy.holds(cut(path)[0]) ? { tag: 'failed', error: PRIVATE } : found
  }

  const forget = (): void => {
    real.clear()
    names.clear()
    privacy.forget()
  }
  return { session, find, findAnywhere, blocked, alias, lost: () => lostMarker(session), forget }
}
