import * as E from 'fp-ts/lib/Either.js'

/** A relative, `/`-separated path inside a folder, validated once by {@link parsePath}; never `.`, `..`, absolute or empty. */
export type SyncPath = string & { readonly SyncPath: unique symbol }

/** `reason` goes on from the path's name, or its field's: "must be relative". */
export type PathError = { readonly tag: 'BadPath'; readonly reason: string }

/** The name of the directory at a folder's root that holds the marker and staged files; it never syncs. */
export const OWN_DIRECTORY = '.eventsync'

/** The file by which a gateway's data directory is known. */
export const DATA_MARKER = 'eventsync-data.json'

/** The file by which a device's state directory is known. */
export const STATE_MARKER = 'eventsync-state.json'

const MAX_NAME_BYTES = 255
const MAX_PATH_BYTES = 4096

const badPath = (reason: string): E.Either<PathError, never> => E.left({ tag: 'BadPath', reason })

const SLASH = 0x2f
const DOT = 0x2e
const LAST_ASCII = 0x7f

/** Whether a path is of the usual kind, whose every rule one look at its characters settles; no name of it starts with a dot. */
const isUsual = (input: string): boolean => {
  if (input.length > MAX_PATH_BYTES) return false
  let start = 0
  for (let at = 0; at <= input.length; at += 1) {
    const code = at === input.length ? SLASH : input.charCodeAt(at)
    if (code === 0 || code > LAST_ASCII) return false
    if (code !== SLASH) continue
    if (at === start || at - start > MAX_NAME_BYTES || input.charCodeAt(start) === DOT) return false
    start = at + 1
  }
  return true
}

/**
 * Validates a path from outside (I11). Any name that a Linux file system holds is allowed (line breaks, backslashes, leading
 * spaces, 255 bytes), so only the rules that keep it inside the folder and representable remain.
 */
export const parsePath = (input: unknown): E.Either<PathError, SyncPath> => {
  if (typeof input !== 'string') return badPath('must be a string')
  // All rules below hold for it.
  if (isUsual(input)) return E.right(input as SyncPath)
  if (input === '') return badPath('must not be empty')
  if (input.startsWith('/')) return badPath('must be relative')
  if (input.includes('\0')) return badPath('must not hold a NUL')
  if (!input.isWellFormed()) return badPath('must be valid Unicode')
  if (Buffer.byteLength(input) > MAX_PATH_BYTES) return badPath(`must have at most ${MAX_PATH_BYTES} bytes`)
  const names = input.split('/')
  for (const name of names) {
    if (name === '' || name === '.' || name === '..') return badPath('must not hold empty, "." or ".." names')
    if (Buffer.byteLength(name) > MAX_NAME_BYTES) return badPath(`must not hold a name of more than ${MAX_NAME_BYTES} bytes`)
  }
  if (names[0] === OWN_DIRECTORY) return badPath(`must not lie in "${OWN_DIRECTORY}" at the root, which is EventSync's own`)
  // Every rule of SyncPath has just been checked.
  return E.right(input as SyncPath)
}

/** The path of the containing directory, or undefined where the path is at the root. */
export const parentOf = (path: SyncPath): SyncPath | undefined => {
  const cut = path.lastIndexOf('/')
  // A prefix of a valid path at a separator is a valid path.
  return cut < 0 ? undefined : (path.slice(0, cut) as SyncPath)
}

export const nameOf = (path: SyncPath): string => path.slice(path.lastIndexOf('/') + 1)

/** All ancestors, the outermost first, without the path itself. */
export const ancestorsOf = (path: SyncPath): SyncPath[] => {
  const parent = parentOf(path)
  return parent === undefined ? [] : [...ancestorsOf(parent), parent]
}

export const isUnder = (path: SyncPath, directory: SyncPath): boolean => path.startsWith(`${directory}/`)

export const depthOf = (path: SyncPath): number => path.split('/').length
