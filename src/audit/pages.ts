import * as E from 'fp-ts/lib/Either.js'
import type { FolderId } from '../domain/events.ts'
import type { SyncPath } from '../domain/path.ts'
import type {
  Between,
  EventFilter,
  HistoryEntry,
  HistoryError,
  HistoryEvent,
  HistoryReads,
  PathChange,
} from '../projections/history/port.ts'

/** Pages, one after the other; a left is the last. Nothing is read before it is asked for, so memory holds one page (I16). */
export type Pages<A> = AsyncGenerator<E.Either<HistoryError, readonly A[]>, void>

/** The first page is small, so that something shows at once. */
const FIRST = 64
const MORE = 2000

/** The events between two revisions, both included, in their order. */
export async function* eventPages(
  history: HistoryReads,
  folder: FolderId,
  filter: EventFilter,
  { from, to }: Between,
): Pages<HistoryEvent> {
  let max = FIRST
  for (let next: number | undefined = from; next !== undefined; max = MORE) {
    const page = await history.events(folder, { ...filter, from: next, to, max })()
    if (E.isLeft(page)) {
      yield page
      return
    }
    yield E.right(page.right.events)
    next = page.right.next
  }
}

/** What was there at a revision, in the order of the paths. */
export async function* treePages(history: HistoryReads, folder: FolderId, at: number): Pages<HistoryEntry> {
  let after: SyncPath | undefined
  for (let max = FIRST; ; max = MORE) {
    const page = await history.tree(folder, at, after, max)()
    if (E.isLeft(page)) {
      yield page
      return
    }
    yield E.right(page.right.entries)
    after = page.right.next
    if (after === undefined) return
  }
}

/** What differs between two revisions, in the order of the paths. */
export async function* changePages(history: HistoryReads, folder: FolderId, between: Between): Pages<PathChange> {
  let after: SyncPath | undefined
  for (let max = FIRST; ; max = MORE) {
    const page = await history.changes(folder, between, after, max)()
    if (E.isLeft(page)) {
      yield page
      return
    }
    yield E.right(page.right.changes)
    after = page.right.next
    if (after === undefined) return
  }
}
