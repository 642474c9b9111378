/**
 * What reading a log costs, in a process of its own: replay with its chain checked, and all projections built anew.
 * `bin/node24 bench/log.ts DIRECTORY`: where `log.db` is, and where the projections are built.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { openSqliteLogReader } from '../src/eventlog/sqlite.ts'
import { openDatabase } from '../src/lib/sqlite.ts'
import { createDecoder, readOnceDecoder } from '../src/projections/decoder.ts'
import { factsOfAll } from '../src/projections/follow/followed.ts'
import { openFollowTables } from '../src/projections/follow/write.ts'
import { openState } from '../src/projections/state/state.ts'
import { chainOf } from '../src/protocol/chain.ts'
import type { RecordedEvent } from '../src/eventlog/port.ts'

/** Of replay: what is read dies young. */
const PAGE = 128
/** Of the projections' folds, as they are composed: each page is a transaction. */
const FOLDED_PAGE = 4096

/** Reads all events, page by page; events a second. */
const overAll = (log: string, size: number, each: (events: readonly RecordedEvent[]) => void): number => {
  using reader = openSqliteLogReader(log)
  const start = performance.now()
  let count = 0
  for (let page = reader.readAllSync(0n, size); page.length > 0; page = reader.readAllSync(page.at(-1)?.position.order ?? 0n, size)) {
    each(page)
    count += page.length
  }
  return Math.round(count / ((performance.now() - start) / 1000))
}

/** Read, decode, check each stream's chain. */
const replayRate = (log: string): number => {
  const chains = new Map<string, string>()
  return overAll(log, PAGE, (events) => {
    for (const event of events) {
      if (E.isLeft(readOnceDecoder.decode(event))) throw new Error(`event ${event.revision} of ${event.stream} cannot be decoded`)
      const chain = chainOf(chains.get(event.stream) ?? '', event)
      if (chain !== event.chain) throw new Error(`the chain of ${event.stream} breaks at ${event.revision}`)
      chains.set(event.stream, chain)
    }
  })
}

/** Read, decode, fold into the state and into what follows the log, each in a database of its own in the directory. */
const rebuildRate = (log: string, directory: string): number => {
  using stateDatabase = openDatabase(join(directory, 'rebuilt-state.db'), { synchronous: 'OFF', cacheMiB: 32 })
  using followDatabase = openDatabase(join(directory, 'rebuilt-projections.db'), { synchronous: 'OFF', cacheMiB: 32 })
  const decoder = createDecoder()
  const state = openState(stateDatabase, decoder)
  const follow = openFollowTables(followDatabase)
  return overAll(log, FOLDED_PAGE, (events) => {
    const applied = state.applyNext(events)
    if (E.isLeft(applied)) throw new Error(applied.left.reason)
    const last = events.at(-1)
    follow.keep(
      factsOfAll(decoder, events, () => undefined),
      last && { position: last.position, chain: last.chain },
    )
  })
}

/** Of this process alone: what `getrusage` says begins with the memory of the one that started it. */
const peakMiB = (): number => Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024)

const [directory] = process.argv.slice(2)
if (directory === undefined) throw new Error('usage: bin/node24 bench/log.ts DIRECTORY')
const log = join(directory, 'log.db')
console.log(`replay ${replayRate(log)} events/s, peak ${peakMiB()} MiB`)
console.log(`rebuild ${rebuildRate(log, directory)} events/s, peak ${peakMiB()} MiB`)
