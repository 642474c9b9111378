import * as E from 'fp-ts/lib/Either.js'
import type { HistoryEntry, HistoryError } from '../../projections/history/port.ts'
import { treePages } from '../pages.ts'
import { makeLink, makeParents, reasonOf, versionContent, writeFile, type PlaceError } from './place.ts'
import { isUnder, type Restore, type Restored } from './port.ts'

/**
 * Puts the folder as it was into an empty directory: folders and files first, in the order of their paths, and links at last, so that nothing is ever
 * written through one of them (I11). A path that can't be restored is told, and the others go on. A left is the last.
 */
export async function* restoreAfresh(restore: Restore): AsyncGenerator<E.Either<HistoryError, Restored>, void> {
  for (const links of [false, true]) {
    for await (const page of treePages(restore.history, restore.folder, restore.at)) {
      if (E.isLeft(page)) {
        yield page
        return
      }
      const wanted = page.right.filter(({ path, content }) => isUnder(path, restore.under) && (content.kind === 'symlink') === links)
      for (const entry of wanted) yield E.right(await putBack(restore, entry))
    }
  }
  // Once for all: waiting for the disk after each file takes nearly as long again.
  if (!restore.dryRun) restore.fs.syncAll()
}

const putBack = async (restore: Restore, entry: HistoryEntry): Promise<Restored> => {
  const { path, revision: version, content } = entry
  const placed = restore.dryRun ? E.right(undefined) : await guarded(() => place(restore, entry))
  return E.isLeft(placed) ? { tag: 'left', path, reason: placed.left } : { tag: 'made', path, version, bytes: content.size }
}

const guarded = async (work: () => Promise<E.Either<PlaceError, void>>): Promise<E.Either<PlaceError, void>> => {
  try {
    return await work()
  } catch (error) {
    return E.left(reasonOf(error))
  }
}

const place = async (restore: Restore, { path, revision, content }: HistoryEntry): Promise<E.Either<PlaceError, void>> => {
  const { fs } = restore
  const parents = makeParents(fs, path)
  if (E.isLeft(parents)) return parents
  if (content.kind === 'directory') return E.right(fs.mkdir(path, 0o755))
  const whole = await versionContent(restore, revision)
  if (E.isLeft(whole)) return whole
  if (content.kind === 'file') return writeFile(restore, path, revision, whole.right)
  return makeLink(restore, path, revision, whole.right)
}
