/** Appends and reads of the embedded log: `bin/node24 bench/micro/eventlog.ts [DIRECTORY]`. */
import { createHash, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import type { EventLog, NewEvent } from '../../src/eventlog/port.ts'
import { openSqliteLog, openSqliteLogReader } from '../../src/eventlog/sqlite.ts'
import { openDatabase } from '../../src/lib/sqlite.ts'

const STREAMS = 8
const event = (): NewEvent => ({
  id: randomUUID(),
  type: 'FileCreated',
  chain: createHash('sha256').update(randomUUID()).digest('hex'),
  data: JSON.stringify({ change: 'x'.repeat(650) }),
  metadata: JSON.stringify({ proof: 'y'.repeat(300) }),
})

const revisions = new Map<string, number>()

const append = async (log: EventLog, stream: string, events: readonly NewEvent[]): Promise<void> => {
  const last = revisions.get(stream)
  const answer = await log.append(stream, last ?? 'none', events)()
  if (E.isLeft(answer)) throw new Error(JSON.stringify(answer.left))
  revisions.set(stream, answer.right.revision)
}

const rate = async (name: string, count: number, run: () => Promise<void> | void): Promise<void> => {
  const start = performance.now()
  await run()
  console.log(`${name}: ${Math.round((count / (performance.now() - start)) * 1000).toLocaleString('en')}/s`)
}

const appends = async (log: EventLog, count: number, size: number): Promise<void> => {
  const batches = Array.from({ length: count }, () => Array.from({ length: size }, event))
  await rate(`append ${size} at a time, events`, count * size, async () => {
    for (const [index, events] of batches.entries()) await append(log, `folder-${index % STREAMS}`, events)
  })
}

const readers = async (log: EventLog, file: string, total: number): Promise<void> => {
  await rate('subscribe, events', total, async () => {
    const controller = new AbortController()
    let seen = 0
    for await (const batch of log.subscribe('start', controller.signal)) if ((seen += batch.length) === total) controller.abort()
  })
  using reader = openSqliteLogReader(file)
  await rate('readAllSync of another connection, events', total, () => {
    let after = 0n
    for (;;) {
      const last = reader.readAllSync(after, 1000).at(-1)
      if (last === undefined) return
      after = last.position.order
    }
  })
}

const directory = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'bench-log-'))
const file = join(directory, 'log.db')
const db = openDatabase(file, { synchronous: 'FULL' })
const log = openSqliteLog(db)
await appends(log, 20_000, 1)
await appends(log, 6_000, 16)
await appends(log, 800, 256)
await readers(log, file, 20_000 + 96_000 + 204_800)
await log[Symbol.asyncDispose]()
db.close()
rmSync(directory, { recursive: true })
