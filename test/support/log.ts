import type { RecordedEvent } from '../../src/eventlog/port.ts'
import { openSqliteLogReader } from '../../src/eventlog/sqlite.ts'
import { readOnceDecoder } from '../../src/projections/decoder.ts'

const PAGE = 1000

/** All events of an embedded log. */
export function* eventsIn(logFile: string): Generator<RecordedEvent> {
  using log = openSqliteLogReader(logFile)
  for (let after = 0n; ;) {
    const events = log.readAllSync(after, PAGE)
    yield* events
    const last = events.at(-1)
    if (last === undefined) return
    after = last.position.order
  }
}

/** How many events there are of each type; file events with their kind: `FileCreated file`. */
export const countOf = (events: Iterable<RecordedEvent>): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const { type, data } of events) {
    const name = `${type}${kindOf(data)}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}

/** What was created, in the log's order: each path, and the agent's message that did it. */
export const creationsIn = (events: Iterable<RecordedEvent>) =>
  [...events].flatMap((recorded) => {
    const decoded = readOnceDecoder.decode(recorded)
    if (decoded._tag === 'Left') throw new Error(decoded.left.reason)
    const { event: of, metadata } = decoded.right
    if (of.of !== 'folder' || of.event.type !== 'FileCreated') return []
    const { path, content } = of.event
    return [{ path, kind: content.kind, folder: of.folder, agent: metadata.agent, number: metadata.number }]
  })

/** The same of an embedded gateway's log. */
export const countEvents = (logFile: string): ReadonlyMap<string, number> => countOf(eventsIn(logFile))

/** The kind that the signed change inside a file event names; a content that names none is a file. */
const kindOf = (data: string): string => {
  const value: unknown = JSON.parse(data)
  if (typeof value !== 'object' || value === null) return ''
  const found = /"Kind":"(file|directory|symlink)"/.exec(data)
  return found === null ? '' : ` ${found[1] ?? ''}`
}
