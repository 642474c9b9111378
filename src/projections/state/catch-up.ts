import * as E from 'fp-ts/lib/Either.js'
import type { EventLog, ReadError } from '../../eventlog/port.ts'
import type { StateFold, Stopped } from '../port.ts'

const PAGE = 4096

/** Folds the rest of the log in, from the checkpoint to the present end. */
export const catchUp = async (log: EventLog, state: StateFold): Promise<E.Either<ReadError | Stopped, void>> => {
  for (;;) {
    const page = await log.readAll(state.checkpoint(), PAGE)()
    if (E.isLeft(page)) return page
    if (page.right.length === 0) return E.right(undefined)
    const applied = state.applyNext(page.right)
    if (E.isLeft(applied)) return applied
  }
}
