import { randomBytes } from 'node:crypto'
import { statSync, type Stats } from 'node:fs'
import { mkdir, readdir, rm, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import * as E from 'fp-ts/lib/Either.js'
import { createLimit } from '../../lib/limit.ts'
import type { ObjectStore, StoreError } from '../port.ts'
import { createDurableDirectories, type DurableDirectories } from './durable-directories.ts'
import { attempt, isAbsent, readError, writeError } from './filesystem-errors.ts'
import { checkPrefix } from './names.ts'
import { readRange, writeWhole } from './whole-file.ts'

/** Where files are written before they have their name; no object's name starts with a dot. */
const TEMPORARY = '.tmp'
/** No put takes so long: an older temporary file is one that a killed process left. A younger one may be another process's. */
const LEFTOVER_MS = 10 * 60_000
/** Each holds a file open; more than the thread pool works on at once only keeps it busy. */
const MAX_WRITES = 16
const MAX_READS = 32

const removeLeftovers = async (directory: string): Promise<void> => {
  for (const name of await readdir(directory)) {
    const path = join(directory, name)
    const { mtimeMs } = await stat(path)
    if (Date.now() - mtimeMs > LEFTOVER_MS) await rm(path, { force: true })
  }
}

const subdirectoriesOf = async (directory: string): Promise<readonly string[]> => {
  const entries = await readdir(directory, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory() && entry.name !== TEMPORARY).map(({ name }) => join(directory, name))
}

/**
 * A process that was killed may have renamed an object without syncing its directory: from here on, what is seen is durable. One
 * directory's names are held at a time (I16); where nothing waits to be written a sync takes microseconds.
 */
const syncTree = async (directories: DurableDirectories, directory: string): Promise<void> => {
  const below = await subdirectoriesOf(directory)
  await directories.sync(directory)
  for (const child of below) await syncTree(directories, child)
}

/** Files below a directory, in no special order; one directory's names are held at a time, on each level. */
async function* walk(root: string, directory: string): AsyncGenerator<{ readonly name: string; readonly size: number }> {
  const entries = await readdir(join(root, directory), { withFileTypes: true }).catch((error: unknown) => {
    if (isAbsent(error)) return []
    throw error
  })
  for (const entry of entries) {
    const name = directory === '' ? entry.name : `${directory}/${entry.name}`
    if (entry.isDirectory() && entry.name !== TEMPORARY) yield* walk(root, name)
    const found = entry.isFile() ? await stat(join(root, name)).catch(() => undefined) : undefined
    if (found !== undefined) yield { name, size: found.size }
  }
}

async function* list(root: string, prefix: string): AsyncGenerator<{ readonly name: string; readonly size: number }> {
  checkPrefix(prefix)
  const directory = prefix.slice(0, Math.max(0, prefix.lastIndexOf('/')))
  for await (const object of walk(root, directory)) if (object.name.startsWith(prefix)) yield object
}

const read = async (
  root: string,
  name: string,
  range?: { readonly offset: number; readonly length: number },
): Promise<E.Either<StoreError, Buffer>> => {
  const bytes = await readRange(join(root, name), range)
  const short = range !== undefined && bytes.length < range.length
  return short ? E.left({ tag: 'Damaged', name, reason: 'shorter than its range' }) : E.right(bytes)
}

/** The first look of a turn of the event loop is done here, in less time than the way to the thread pool takes; many would keep this thread from all else. */
const createLook = (): ((path: string) => Promise<Stats>) => {
  let looked = false
  return async (path) => {
    if (looked) return stat(path)
    looked = true
    setImmediate(() => (looked = false))
    return statSync(path)
  }
}

const storeIn = (root: string, directories: DurableDirectories): ObjectStore => {
  const writes = createLimit(MAX_WRITES)
  const reads = createLimit(MAX_READS)
  const look = createLook()
  const reading = <A>(name: string, work: () => Promise<E.Either<StoreError, A>>): TE.TaskEither<StoreError, A> =>
    attempt(name, readError, () => reads(work))
  const writing = (name: string, work: (target: string) => Promise<void>): TE.TaskEither<StoreError, void> =>
    attempt(name, writeError, () => writes(async () => E.right(await work(join(root, name)))))
  return {
    put: (name, bytes) =>
      writing(name, async (target) => {
        const { durable } = await directories.ensure(dirname(target))
        await writeWhole(join(root, TEMPORARY, randomBytes(12).toString('hex')), target, bytes)
        await Promise.all([durable, directories.sync(dirname(target))])
      }),
    get: (name, range) => reading(name, () => read(root, name, range)),
    stat: (name) =>
      reading(name, async () => {
        const found = await look(join(root, name))
        return found.isFile() ? E.right(found.size) : E.left({ tag: 'NotFound', name })
      }),
    list: (prefix) => list(root, prefix),
    remove: (name) =>
      writing(name, async (target) => {
        const gone = await unlink(target).then(
          () => true,
          (error: unknown) => {
            if (isAbsent(error)) return false
            throw error
          },
        )
        if (gone) await directories.sync(dirname(target))
      }),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** Makes a directory and those above it, durably. */
const makeRoot = async (root: string, directories: DurableDirectories): Promise<void> => {
  const first = await mkdir(root, { recursive: true, mode: 0o700 })
  for (let made = root; first !== undefined && made.length >= first.length; made = dirname(made)) await directories.sync(dirname(made))
}

/**
 * Objects as files below `root`, an absolute path, which is made where it is not there, in the directories that their names say. A put
 * is one temporary file, fsync, rename, and fsync of the directory, shared by those who put into it at once; where the directory is new, the one above it is
 * synced meanwhile.
 */
export const openFilesystemStore = (root: string): TE.TaskEither<StoreError, ObjectStore> =>
  attempt('root', writeError, async () => {
    const directories = createDurableDirectories(root)
    await makeRoot(root, directories)
    await mkdir(join(root, TEMPORARY), { recursive: true, mode: 0o700 })
    await removeLeftovers(join(root, TEMPORARY))
    await syncTree(directories, root)
    return E.right(storeIn(root, directories))
  })
