import * as E from 'fp-ts/lib/Either.js'
import { restoreAfresh } from '../audit/restore/afresh.ts'
import type { Restored } from '../audit/restore/port.ts'
import { treePages, type Pages } from '../audit/pages.ts'
import { nodeFileSystem } from '../filesystem/node.ts'
import type { Compared } from '../projections/compare.ts'
import type { HistoryEntry, HistoryError, HistoryReads } from '../projections/history/port.ts'
import type { Audit } from './audit.ts'
import { fromHistory } from './from-history.ts'
import type { Outcome } from './failure.ts'

/** What was put into a directory. */
export interface Materialised {
  readonly directory: string
  readonly paths: number
  readonly bytes: number
  /** Paths that could not be. */
  readonly left: number
}

/** Puts the folder into an empty directory as a replay makes it; where the bytes lie, the live tables tell, and each is checked against the log's hash. */
export const materialise = async (
  { log, contents, folder }: Audit,
  replayed: HistoryReads,
  at: number,
  directory: string,
  leave: (left: Extract<Restored, { tag: 'left' }>) => void,
): Promise<Outcome<Materialised>> => {
  const sum = { paths: 0, bytes: 0, left: 0 }
  const fs = nodeFileSystem(directory)
  for await (const step of restoreAfresh({
    log,
    history: replayed,
    contents,
    folder: folder.folder,
    at,
    under: undefined,
    fs,
    dryRun: false,
  })) {
    if (E.isLeft(step)) return fromHistory(step)
    if (step.right.tag === 'left') {
      sum.left += 1
      leave(step.right)
    } else sum.paths += 1
    if ('bytes' in step.right) sum.bytes += step.right.bytes
  }
  return E.right({ directory, ...sum })
}

/** Compares the folder's tree at a moment, as the live history tells it, with the one that a replay up to there has made (I7): path by path. */
export const sameTree = async ({ history, folder }: Audit, replayed: HistoryReads, at: number): Promise<Outcome<Compared>> => {
  const [live, fresh] = [rowsOf(treePages(history, folder.folder, at)), rowsOf(treePages(replayed, folder.folder, at))]
  for (let row = 1; ; row += 1) {
    const [one, other] = [await live.next(), await fresh.next()]
    if (one.value !== undefined && E.isLeft(one.value)) return fromHistory(one.value)
    if (other.value !== undefined && E.isLeft(other.value)) return fromHistory(other.value)
    const [a, b] = [one.value?.right, other.value?.right]
    if (a === undefined && b === undefined) return E.right({ rows: { tree: row - 1 }, differences: [] })
    if (a !== b) return E.right({ rows: { tree: row }, differences: [{ table: 'tree', row, live: a, replayed: b }] })
  }
}

async function* rowsOf(pages: Pages<HistoryEntry>): AsyncGenerator<E.Either<HistoryError, string>, undefined> {
  for await (const page of pages) {
    if (E.isLeft(page)) yield page
    else
      for (const { path, revision, fileId, content } of page.right)
        yield E.right([path, revision, fileId, ...Object.values(content)].join(' | '))
  }
  return undefined
}
