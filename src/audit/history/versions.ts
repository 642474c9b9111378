import * as E from 'fp-ts/lib/Either.js'
import type { FileId, FolderId } from '../../domain/events.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { HistoryError, HistoryEvent, HistoryReads } from '../../projections/history/port.ts'
import { eventPages, type Pages } from '../pages.ts'

/** A file that was at a path, and up to where what happened to it is of interest. */
interface Life {
  readonly fileId: FileId
  readonly upTo: number
}

/**
 * Everything that happened to the files that were ever at a path, across their other names: each file's events in their order, one file after
 * the other as they came to the path. One that another file followed is told of up to when it left; the last one up to `head`, wherever it is now.
 */
export async function* versionPages(history: HistoryReads, folder: FolderId, path: SyncPath, head: number): Pages<HistoryEvent> {
  const told = new Map<FileId, number>()
  for await (const life of livesAt(history, folder, path, head)) {
    if (E.isLeft(life)) {
      yield life
      return
    }
    const { fileId, upTo } = life.right
    const from = (told.get(fileId) ?? -1) + 1
    told.set(fileId, upTo)
    yield* eventPages(history, folder, { where: { tag: 'file', fileId } }, { from, to: upTo })
  }
}

async function* livesAt(
  history: HistoryReads,
  folder: FolderId,
  path: SyncPath,
  head: number,
): AsyncGenerator<E.Either<HistoryError, Life>, void> {
  let last: Life | undefined
  for await (const page of eventPages(history, folder, { where: { tag: 'path', path } }, { from: 0, to: head })) {
    if (E.isLeft(page)) {
      yield page
      return
    }
    for (const { fileId, revision } of page.right) {
      if (fileId === undefined) continue
      if (last !== undefined && last.fileId !== fileId) yield E.right(last)
      last = { fileId, upTo: revision }
    }
  }
  if (last !== undefined) yield E.right({ ...last, upTo: head })
}
