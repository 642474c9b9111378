import { existsSync, lstatSync, renameSync, rmSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { realPathOf } from '../agent/device/real-path.ts'
import { isConflictName, originalOf } from '../domain/conflict-name.ts'
import { nameOf, parsePath, type SyncPath } from '../domain/path.ts'
import { fail, type Outcome } from './failure.ts'
import { folderOf, foldersOf, statusOf, type LocalFolder } from './folders.ts'

/** A conflict copy and the path that it is a version of, both inside `folder`. */
export interface ConflictCopy {
  readonly folder: string
  readonly copy: SyncPath
  readonly path: SyncPath
}

/** The conflict copies that are on this disk. */
export const conflictsIn = async (folder: LocalFolder): Promise<Outcome<readonly ConflictCopy[]>> =>
  E.map(({ status }: { readonly status: { readonly conflicts: readonly string[] } }) =>
    status.conflicts.flatMap((text) => {
      const copy = parsePath(text)
      return E.isRight(copy) ? [{ folder: folder.path, copy: copy.right, path: originalOf(copy.right) }] : []
    }),
  )(await statusOf(folder))

/** The conflict copy that a person names, by a path of the shell's or one relative to the folder. */
export const findCopy = (state: string, named: string): Outcome<ConflictCopy> =>
  E.Monad.chain(foldersOf(state, undefined), (folders) => {
    const here = folderOf(state, named)
    if (E.isLeft(here)) return here
    const places =
      here.right === undefined
        ? folders.map((folder) => ({ folder, file: join(folder.path, named) }))
        : [{ folder: here.right, file: inRealParent(named) }]
    const place = places.find(({ file }) => existsSync(file))
    if (place === undefined) return fail('usage', `there is no ${named}: 'eventsync conflicts' lists the conflict copies`)
    const copy = parsePath(relative(place.folder.path, place.file))
    if (E.isLeft(copy) || !isConflictName(nameOf(copy.right)))
      return fail('usage', `${named} is not a conflict copy: 'eventsync conflicts' lists them`)
    return E.right({ folder: place.folder.path, copy: copy.right, path: originalOf(copy.right) })
  })

/** The last name as given: a symlink that is a conflict copy is not followed. */
const inRealParent = (named: string): string => {
  const file = resolve(named)
  return join(realPathOf(join(file, '..')), file.slice(file.lastIndexOf('/') + 1))
}

/**
 * Settles a conflict by what a person could do by hand, in the folder itself, so that it syncs as any other change: 'keep-mine' puts the copy in place of the
 * file, 'keep-theirs' removes the copy. The other content stays in the folder's history.
 */
export const settleConflict = ({ folder, copy, path }: ConflictCopy, keep: 'keep-mine' | 'keep-theirs'): Outcome => {
  const from = join(folder, copy)
  const to = join(folder, path)
  if (keep === 'keep-mine' && existsSync(to) && lstatSync(to).isDirectory())
    return fail('failed', `${to} is a folder now: move ${from} by hand`)
  return E.tryCatch(
    () => (keep === 'keep-mine' ? renameSync(from, to) : rmSync(from)),
    (error) => ({ kind: 'failed', reason: `${from} cannot be settled: ${error instanceof Error ? error.message : String(error)}` }),
  )
}
