import { createHash, randomUUID } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import type { Appended, AppendError, EventLog, LogPosition, NewEvent, RecordedEvent } from '../../src/eventlog/port.ts'
import { right } from './support.ts'

/** An event with content of its own in every field. */
export const newEvent = (fields: Partial<NewEvent> = {}): NewEvent => {
  const id = randomUUID()
  const chain = createHash('sha256').update(id).digest('hex')
  return { id, type: 'FileCreated', data: `{"of":"${id}"}`, metadata: `{"by":"${id}"}`, chain, ...fields }
}

export const newEvents = (count: number): readonly NewEvent[] => Array.from({ length: count }, () => newEvent())

/** Appends at the end of a stream, whatever it is. */
export const appendAtEnd = async (log: EventLog, stream: string, events: readonly NewEvent[]): Promise<void> => {
  const last = right(await log.last(stream)())
  right(await log.append(stream, last?.revision ?? 'none', events)())
}

/** Appends the same again as long as the outcome is unknown, as the port asks for. */
export const appendSurely: (log: EventLog, ...append: Parameters<EventLog['append']>) => Promise<E.Either<AppendError, Appended>> = async (
  log,
  ...append
) => {
  for (let tries = 1; ; tries += 1) {
    const appended = await log.append(...append)()
    if (E.isRight(appended) || appended.left.tag !== 'OutcomeUnknown' || tries === 20) return appended
  }
}

/** Everything in the log, read page by page. */
export const everything = async (log: EventLog, page = 7): Promise<readonly RecordedEvent[]> => {
  const all: RecordedEvent[] = []
  for (;;) {
    const after: LogPosition | 'start' = all.at(-1)?.position ?? 'start'
    const events = right(await log.readAll(after, page)())
    if (events.length === 0) return all
    all.push(...events)
  }
}

/** What a subscription gives until it has given `count` events. */
export const take = async (log: EventLog, after: LogPosition | 'start', count: number): Promise<readonly RecordedEvent[]> => {
  const controller = new AbortController()
  const seen: RecordedEvent[] = []
  for await (const batch of log.subscribe(after, controller.signal)) {
    seen.push(...batch)
    if (seen.length >= count) controller.abort()
  }
  return seen
}

export const idsOf = (events: readonly { readonly id: string }[]): readonly string[] => events.map(({ id }) => id)
