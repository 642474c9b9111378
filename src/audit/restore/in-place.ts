import * as E from 'fp-ts/lib/Either.js'
import { OWN_DIRECTORY, type SyncPath } from '../../domain/path.ts'
import type { FileSystem } from '../../filesystem/port.ts'
import type { HistoryEntry, HistoryError, PathChange } from '../../projections/history/port.ts'
import { changePages } from '../pages.ts'
import { kindAt, makeLink, makeParents, reasonOf, versionContent, writeFile, type PlaceError } from './place.ts'
import { isUnder, type Restore, type Restored } from './port.ts'
import { holds } from './present.ts'

export interface InPlace extends Restore {
  /** What the folder holds now, by the log. */
  readonly head: number
  /** Also what is new since that moment goes; it stays in the history. */
  readonly exact: boolean
}

type Fate = E.Either<PlaceError, Restored | undefined>

/**
 * Brings a synced folder back to how it was, as changes that its agent sends like any other: nothing in the log is undone. Only what differs between that moment
 * and now is touched, and only where the disk holds what the log says: a change that is not in the history yet is never overwritten (I3). A left is the last.
 */
export async function* restoreInPlace(restore: InPlace): AsyncGenerator<E.Either<HistoryError, Restored>, void> {
  const emptied: SyncPath[] = []
  for await (const page of changePages(restore.history, restore.folder, { from: restore.at, to: restore.head })) {
    if (E.isLeft(page)) {
      yield page
      return
    }
    for (const change of page.right) {
      if (!isUnder(change.path, restore.under)) continue
      if (change.before === undefined && change.after?.content.kind === 'directory') {
        emptied.push(change.path)
        continue
      }
      const done = await settle(restore, change)
      if (done !== undefined) yield E.right(done)
    }
  }
  // From the deepest on: a folder goes when nothing is left in it.
  if (restore.exact) for (const path of emptied.toReversed()) yield E.right(removeFolder(restore, path))
}

const settle = async (restore: InPlace, change: PathChange): Promise<Restored | undefined> => {
  const { path, before } = change
  try {
    const fate = await (before === undefined ? takeAway(restore, change) : bringBack(restore, change, before))
    return E.isLeft(fate) ? { tag: 'left', path, reason: fate.left } : fate.right
  } catch (error) {
    return { tag: 'left', path, reason: reasonOf(error) }
  }
}

const UNSEEN = 'what is there now is not in the history yet: let its agent send it first (eventsync status)'

/** Whether the disk holds what the log says is there now: nothing, or that version. */
const isAsTheLogSays = async (restore: InPlace, { path, after }: PathChange): Promise<E.Either<PlaceError, boolean>> =>
  after === undefined ? E.right(kindAt(restore.fs, path) === undefined) : holds(restore, path, after)

const takeAway = async (restore: InPlace, change: PathChange): Promise<Fate> => {
  const { path } = change
  if (!restore.exact || kindAt(restore.fs, path) === undefined) return E.right(undefined)
  const known = await isAsTheLogSays(restore, change)
  if (E.isLeft(known)) return known
  if (!known.right) return E.left(UNSEEN)
  if (!restore.dryRun) restore.fs.unlink(path)
  return E.right({ tag: 'removed', path })
}

const removeFolder = ({ fs, dryRun }: InPlace, path: SyncPath): Restored => {
  try {
    if (!dryRun) fs.rmdir(path)
    return { tag: 'removed', path }
  } catch (error) {
    const busy = error instanceof Error && 'code' in error && (error.code === 'ENOTEMPTY' || error.code === 'EEXIST')
    return { tag: 'left', path, reason: busy ? 'it is not empty' : reasonOf(error) }
  }
}

const bringBack = async (restore: InPlace, change: PathChange, before: HistoryEntry): Promise<Fate> => {
  const { path, after } = change
  const { fs, dryRun } = restore
  const there = await holds(restore, path, before)
  if (E.isLeft(there)) return there
  const made: Restored = { tag: after === undefined ? 'made' : 'replaced', path, version: before.revision, bytes: before.content.size }
  if (there.right) return before.content.kind === 'directory' ? E.right(undefined) : touchUp(restore, before, made)
  const seen = seenAt(fs, path)
  const known = await isAsTheLogSays(restore, change)
  if (E.isLeft(known)) return known
  if (!known.right) return E.left(UNSEEN)
  if (after?.content.kind === 'directory' && before.content.kind !== 'directory') return E.left('a folder is there now')
  if (dryRun) return E.right(made)
  const parents = makeParents(fs, path)
  if (E.isLeft(parents)) return parents
  if (before.content.kind !== 'directory') return E.map(() => made)(await put(restore, before, seen))
  if (after !== undefined) fs.unlink(path)
  fs.mkdir(path, 0o755)
  return E.right(made)
}

/** The bytes are there already: the time and the executable bit alone. */
const touchUp = async ({ fs, dryRun }: InPlace, { path, content }: HistoryEntry, made: Restored): Promise<Fate> => {
  const stat = fs.lstat(path)
  const executable = content.kind === 'file' && (stat.mode & 0o100) !== 0
  if (executable === content.executable && stat.mtimeNs / 1000n === BigInt(content.modified) / 1000n) return E.right(undefined)
  if (!dryRun) {
    if (content.kind === 'file') fs.chmod(path, content.executable ? stat.mode | 0o111 : stat.mode & ~0o111)
    fs.utimes(path, BigInt(content.modified))
  }
  return E.right(made)
}

const makeDurable = (fs: FileSystem, path: string): void => {
  const fd = fs.open(path, 'r')
  try {
    fs.fsync(fd)
  } finally {
    fs.close(fd)
  }
}

/** What tells whether somebody has written to a path since; undefined: nothing is there. */
const seenAt = (fs: FileSystem, path: SyncPath): string | undefined => {
  if (kindAt(fs, path) === undefined) return undefined
  const { ino, size, mtimeNs, ctimeNs } = fs.lstat(path)
  return [ino, size, mtimeNs, ctimeNs].join()
}

/** Beside its place first, in the agent's own directory, which is never synced; then over what the log knows (I12), if that is still what was looked at. */
const put = async (
  restore: InPlace,
  { path, revision, content }: HistoryEntry,
  seen: string | undefined,
): Promise<E.Either<PlaceError, void>> => {
  const { fs } = restore
  const stage = `${OWN_DIRECTORY}/restored-${revision}`
  const whole = await versionContent(restore, revision)
  if (E.isLeft(whole)) return whole
  if (kindAt(fs, stage) !== undefined) fs.unlink(stage)
  const staged = await (content.kind === 'file'
    ? writeFile(restore, stage, revision, whole.right)
    : makeLink(restore, stage, revision, whole.right))
  if (E.isLeft(staged)) return staged
  // What it replaces goes with the rename: the new content must be on the disk by then (I12).
  if (content.kind === 'file') makeDurable(fs, stage)
  if (seenAt(fs, path) !== seen) {
    fs.unlink(stage)
    return E.left(UNSEEN)
  }
  if (seen !== undefined) return E.right(fs.rename(stage, path))
  // A file that appears in this moment stops it.
  fs.link(stage, path)
  return E.right(fs.unlink(stage))
}
