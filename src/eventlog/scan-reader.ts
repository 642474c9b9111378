import * as E from 'fp-ts/lib/Either.js'
import type { EventLog, LogScan, LogPosition, ReadError, ScanPage } from './port.ts'

const PAGE = 512

/** A log of another process as an audit reads it: its server finds damage of its own storage itself. */
export const scanReader = (log: Pick<EventLog, 'read' | 'readAll' | typeof Symbol.asyncDispose>): LogScan => ({
  pages: () => pagesOf(log),
  event: async (stream, revision) => {
    const read = await log.read(stream, revision, 1)()
    return E.isLeft(read) ? undefined : read.right.find((event) => event.revision === revision)
  },
  [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
})

async function* pagesOf(log: Pick<EventLog, 'readAll'>): AsyncGenerator<E.Either<ReadError, ScanPage>> {
  let after: LogPosition | 'start' = 'start'
  for (;;) {
    const page: Awaited<ReturnType<ReturnType<EventLog['readAll']>>> = await log.readAll(after, PAGE)()
    if (E.isLeft(page)) {
      yield page
      return
    }
    const last = page.right.at(-1)
    if (last === undefined) return
    after = last.position
    yield E.right({ events: page.right, damage: [] })
  }
}
