import { openSqliteLogReader } from '../../src/eventlog/sqlite.ts'

const PAGE = 1000

/** How many events of each type a gateway's log holds; file events with their kind: `FileCreated file`. */
export const countEvents = (logFile: string): ReadonlyMap<string, number> => {
  using log = openSqliteLogReader(logFile)
  const counts = new Map<string, number>()
  for (let after = 0n; ;) {
    const events = log.readAllSync(after, PAGE)
    for (const { type, data } of events) {
      const name = `${type}${kindOf(data)}`
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    const last = events.at(-1)
    if (last === undefined) return counts
    after = last.position.order
  }
}

/** The kind that the signed change inside a file event names; a content that names none is a file. */
const kindOf = (data: string): string => {
  const value: unknown = JSON.parse(data)
  if (typeof value !== 'object' || value === null) return ''
  const found = /"Kind":"(file|directory|symlink)"/.exec(data)
  return found === null ? '' : ` ${found[1] ?? ''}`
}
