import { changePages, treePages, type Pages } from '../audit/pages.ts'
import type { Between, HistoryEntry, PathChange } from '../projections/history/port.ts'
import type { Audit } from './audit.ts'
import { fromHistory } from './from-history.ts'
import type { Outcome } from './failure.ts'

export type { HistoryEntry, PathChange }

async function* outcomes<A>(pages: Pages<A>): AsyncGenerator<Outcome<readonly A[]>, void> {
  for await (const page of pages) yield fromHistory(page)
}

/** The folder as it was after a revision. */
export const treeAt = ({ history, folder }: Audit, at: number): AsyncGenerator<Outcome<readonly HistoryEntry[]>, void> =>
  outcomes(treePages(history, folder.folder, at))

/** What differs between two revisions. */
export const changesBetween = ({ history, folder }: Audit, between: Between): AsyncGenerator<Outcome<readonly PathChange[]>, void> =>
  outcomes(changePages(history, folder.folder, between))
