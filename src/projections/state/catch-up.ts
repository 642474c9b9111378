import { either as E } from 'fp-ts'
import type { EventLog, ReadError, RecordedEvent } from '../../eventlog/port.ts'
import type { StateProjection, Stopped } from './state.ts'

const PAGE = 1024

/** Runs of events of one stream, in order. */
const runs = (events: readonly RecordedEvent[]): readonly (readonly RecordedEvent[])[] => {
  const found: RecordedEvent[][] = []
  for (const event of events) {
    const last = found.at(-1)
    if (last?.[0]?.stream === event.stream) last.push(event)
    else found.push([event])
  }
  return found
}

/** Folds the rest of the log in, from the checkpoint to the present end. */
export const catchUp = async (log: EventLog, state: StateProjection): Promise<E.Either<ReadError | Stopped, void>> => {
  for (;;) {
    const page = await log.readAll(state.checkpoint(), PAGE)()
    if (E.isLeft(page)) return page
    const last = page.right.at(-1)
    if (last === undefined) return E.right(undefined)
    for (const run of runs(page.right)) {
      const applied = state.apply(run[0]?.stream ?? '', run)
      if (E.isLeft(applied)) return applied
    }
    state.setCheckpoint(last.position)
  }
}

/** Folds in what one stream has beyond the projection: another gateway's appends, or ones of an unknown outcome. */
export const catchUpStream = async (log: EventLog, state: StateProjection, stream: string): Promise<E.Either<ReadError | Stopped, void>> => {
  for (;;) {
    const page = await log.read(stream, (state.head(stream)?.revision ?? -1) + 1, PAGE)()
    if (E.isLeft(page)) return page
    if (page.right.length === 0) return E.right(undefined)
    const applied = state.apply(stream, page.right)
    if (E.isLeft(applied)) return applied
  }
}
