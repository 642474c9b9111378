import * as E from 'fp-ts/lib/Either.js'
import { readOnceDecoder } from '../projections/decoder.ts'
import { factsOf } from '../projections/follow/facts.ts'
import type { HistoryEvent } from '../projections/history/port.ts'
import { folderStream } from '../protocol/streams.ts'
import type { Audit } from './audit.ts'
import { fail, type Outcome } from './failure.ts'

const PAGE = 64

/** The folder's events from the first one up to a revision, as the log itself has them, whatever an index says. A left is the last. */
export async function* loggedEvents({ log, folder }: Audit, upTo: number): AsyncGenerator<Outcome<HistoryEvent>, void> {
  const stream = folderStream(folder.folder)
  for (let next = 0; next <= upTo;) {
    const page = await log.read(stream, next, Math.min(PAGE, upTo - next + 1))()
    if (E.isLeft(page)) {
      yield fail('failed', `the log cannot be read: ${page.left.reason}`)
      return
    }
    if (page.right.length === 0) return
    for (const recorded of page.right) {
      const decoded = readOnceDecoder.decode(recorded)
      if (E.isLeft(decoded)) {
        yield fail('damaged', `${decoded.left.reason}: run 'eventsync audit verify'`)
        return
      }
      const { history } = factsOf(decoded.right, recorded.revision, () => undefined)
      if (history !== undefined) yield E.right(history)
      next = recorded.revision + 1
    }
  }
}
