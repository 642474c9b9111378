/**
 * Appends to the log in a file, one event at a time, and reports each answer on a line of its own as `<revision> <id>`, until an
 * answer is a left: then `left <tag>`, and with a second argument (a file to remove, which frees space) `again <answer>` as well.
 */
import { rmSync, writeSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import type { ExpectedRevision } from '../../../src/eventlog/port.ts'
import { openSqliteLog } from '../../../src/eventlog/sqlite.ts'
import { openDatabase } from '../../../src/lib/sqlite.ts'
import { newEvent } from '../eventlog.support.ts'
import { outcomeOf, right } from '../support.ts'

const [file, filler] = process.argv.slice(2)
if (file === undefined) throw new Error('a file must be given')
const db = openDatabase(file, { synchronous: 'FULL' })
db.exec('CREATE TABLE IF NOT EXISTS projection (id TEXT)')
const insert = db.prepare('INSERT INTO projection VALUES (?)')
await using log = openSqliteLog(db, { onAppend: (_, events) => events.forEach(({ id }) => insert.run(id)) })

let expected: ExpectedRevision = right(await log.last('a')())?.revision ?? 'none'
const report = (line: string): number => writeSync(1, `${line}\n`)

for (;;) {
  const event = newEvent({ data: JSON.stringify('x'.repeat(3000)) })
  const answer = await log.append('a', expected, [event])()
  if (E.isLeft(answer)) {
    report(`left ${answer.left.tag}`)
    if (filler === undefined) break
    rmSync(filler)
    report(`again ${outcomeOf(await log.append('a', expected, [event])())}`)
    break
  }
  expected = answer.right.revision
  report(`${expected} ${event.id}`)
}
