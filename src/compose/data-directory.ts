import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { keyFile } from '../agent/device/key-file.ts'
import { neighbourAbove, syncedFolderAround } from '../agent/device/nesting.ts'
import { realPathOf } from '../agent/device/real-path.ts'
import { DATA_MARKER } from '../domain/path.ts'
import { lockFile, type LockError } from '../lib/file-lock.ts'
import { saveFile } from '../lib/save-file.ts'
import type { Signer } from '../protocol/signing.ts'
import { fail, fromDevice, type Outcome } from './failure.ts'

/** The format of the directory as a whole; each database inside has a version of its own. */
const FORMAT = 1

/** What lies where in a gateway's data directory. */
export interface DataFiles {
  readonly path: string
  /** Held by whoever writes here. */
  readonly lock: string
  readonly log: string
  /** The state of a log that lies elsewhere. */
  readonly state: string
  readonly projections: string
  readonly uploads: string
  readonly objects: string
}

export const dataFiles = (path: string): DataFiles => {
  const inside = (name: string): string => join(path, name)
  return {
    path,
    lock: inside('lock'),
    log: inside('log.db'),
    state: inside('state.db'),
    projections: inside('projections.db'),
    uploads: inside('uploads.db'),
    objects: inside('objects'),
  }
}

/** A gateway's data directory, held by this process alone until disposed of. */
export interface DataDirectory extends DataFiles, Disposable {
  /** 16 hex digits, made with the directory: its gateway among those that share a log, and a key. */
  readonly instance: string
  /** The gateway's own key: agents pin it when they register, and it signs receipts. */
  readonly signer: Signer
}

export const openDataDirectory = (directory: string): Outcome<DataDirectory> => {
  const real = realPathOf(directory)
  const above = neighbourAbove(real)
  if (above !== undefined)
    return fail('usage', `the data directory ${real} lies inside ${above.path}, ${above.what}: give it another place with --data`)
  if (syncedFolderAround(real) !== undefined) return fail('usage', `${real} is a synced folder: give the data another place with --data`)
  const path = make(directory)
  if (E.isLeft(path)) return path
  const lock = E.mapLeft((error: LockError) => lockFailure(path.right, error))(lockFile(dataFiles(path.right).lock))
  if (E.isLeft(lock)) return lock
  const opened = ownFiles(path.right)
  if (E.isLeft(opened)) {
    lock.right[Symbol.dispose]()
    return opened
  }
  return E.right({
    ...dataFiles(path.right),
    ...opened.right,
    [Symbol.dispose]: () => lock.right[Symbol.dispose](),
  })
}

const ownFiles = (path: string): Outcome<Pick<DataDirectory, 'instance' | 'signer'>> => {
  const signer = E.Monad.chain(checkFormat(path), () => fromDevice(keyFile(join(path, 'gateway.pem'))))
  if (E.isLeft(signer)) return signer
  return E.map((instance: string) => ({ instance, signer: signer.right }))(instanceIn(join(path, 'instance')))
}

const instanceIn = (file: string): Outcome<string> =>
  E.tryCatch(
    () => {
      if (!existsSync(file)) saveFile(file, randomBytes(8).toString('hex'))
      return readFileSync(file, 'utf8')
    },
    () => ({ kind: 'failed', reason: `${file} cannot be read or written` }),
  )

const make = (directory: string): Outcome<string> =>
  E.tryCatch(
    () => {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      return realpathSync(directory)
    },
    (error) => ({
      kind: 'failed',
      reason: `the data directory ${directory} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    }),
  )

const lockFailure = (path: string, error: LockError): { readonly kind: 'failed'; readonly reason: string } =>
  error.tag === 'Held'
    ? { kind: 'failed', reason: `another gateway works on ${path} already: stop it first, or give this one another --data` }
    : { kind: 'failed', reason: `${path} cannot be locked: ${error.reason}` }

/** Refuses what a newer version wrote; a directory without a format is new. */
const checkFormat = (path: string): Outcome => {
  const file = join(path, DATA_MARKER)
  if (!existsSync(file))
    return E.tryCatch(
      () => saveFile(file, `${JSON.stringify({ format: FORMAT })}\n`),
      () => ({ kind: 'failed', reason: `${file} cannot be written` }),
    )
  const format = E.tryCatch(
    (): unknown => JSON.parse(readFileSync(file, 'utf8')),
    () => undefined,
  )
  const value =
    E.isRight(format) && typeof format.right === 'object' && format.right !== null && 'format' in format.right
      ? format.right.format
      : undefined
  if (value === FORMAT) return E.right(undefined)
  if (typeof value === 'number' && value > FORMAT)
    return fail('failed', `${path} was written by a newer version of EventSync (format ${value}): run that version, or a newer one`)
  return fail('damaged', `${file} is damaged: restore the data directory from a backup`)
}
