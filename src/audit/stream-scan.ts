import * as E from 'fp-ts/lib/Either.js'
import type { LogScan, ReadError, RecordedEvent, StreamReader } from '../eventlog/port.ts'

/** A stream, and how far it is read; undefined: to its end. */
export interface Span {
  readonly stream: string
  readonly upTo: number | undefined
}

const PAGE = 1000

/** Some streams of a log, one after the other, where the order of all events is not at hand. Disposing it leaves the log open. */
export const scanStreams = (log: StreamReader, spans: readonly Span[]): LogScan => ({
  async *pages() {
    for (const { stream, upTo = Infinity } of spans) {
      for (let next = 0; next <= upTo;) {
        const page: E.Either<ReadError, readonly RecordedEvent[]> = await log.read(stream, next, PAGE)()
        if (E.isLeft(page)) {
          yield page
          return
        }
        const last = page.right.at(-1)
        if (last === undefined) break
        // What came since is not of this reading.
        yield E.right({ events: page.right.filter(({ revision }) => revision <= upTo), damage: [] })
        next = Math.max(next, last.revision) + 1
      }
    }
  },
  event: async (stream, revision) => {
    const read = await log.read(stream, revision, 1)()
    return E.isRight(read) && read.right[0]?.revision === revision ? read.right[0] : undefined
  },
  [Symbol.asyncDispose]: () => Promise.resolve(),
})
