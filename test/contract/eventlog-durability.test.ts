import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSqliteLog } from '../../src/eventlog/sqlite.ts'
import { openDatabase } from '../../src/lib/sqlite.ts'
import { canMount, runOnSmallDisk, runWithFileLimit, start } from './children/spawn.ts'
import { everything, idsOf } from './eventlog.support.ts'

let directory: string
let file: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'durability-'))
  file = join(directory, 'log.db')
})
afterEach(() => rm(directory, { recursive: true }))

/** The ids in the log, in the order of their revisions from 0 without a gap, and those that `onAppend` kept beside it. */
const kept = async (): Promise<{ readonly log: readonly string[]; readonly projection: readonly unknown[] }> => {
  using db = openDatabase(file, { synchronous: 'FULL' })
  await using log = openSqliteLog(db)
  const events = await everything(log, 1000)
  expect(events.map(({ revision }) => revision)).toEqual(events.map((_, index) => index))
  return {
    log: idsOf(events),
    projection: db
      .prepare('SELECT id FROM projection ORDER BY rowid')
      .all()
      .map((row) => row['id']),
  }
}

const reportedIds = (lines: readonly string[]): readonly string[] =>
  lines.filter((line) => /^\d/.test(line)).map((line) => line.split(' ')[1] ?? '')

describe('sqlite event log', () => {
  it('keeps all that was answered, and its projection with it, when it is killed again and again (I1)', async () => {
    const reported: string[] = []
    for (const count of [1, 40, 200, 350, 3]) {
      const child = start('append', [file])
      let seen = 0
      for await (const line of child.lines) {
        reported.push(line)
        if (++seen === count) await child.kill()
      }
    }
    const { log, projection } = await kept()
    // An append may have been written without having been reported, at each kill.
    expect(log).toEqual(expect.arrayContaining([...reportedIds(reported)]))
    expect(log.length - reported.length).toBeLessThanOrEqual(5)
    expect(projection).toEqual(log)
  })

  it('answers OutcomeUnknown where a commit fails for another reason than space, and loses nothing', async () => {
    const lines = runWithFileLimit(2048, 'append', [file])
    expect(lines.at(-1)).toBe('left OutcomeUnknown')
    const { log, projection } = await kept()
    const reported = reportedIds(lines)
    expect(reported.length).toBeGreaterThan(20)
    expect(log.slice(0, reported.length)).toEqual(reported)
    expect(log.length - reported.length).toBeLessThanOrEqual(1)
    expect(projection).toEqual(log)
  })

  it.runIf(canMount)('answers Full on a full disk, and goes on when there is space again', () => {
    const lines = runOnSmallDisk(2 ** 20, directory, 'append', [file, join(directory, 'filler')])
    expect(reportedIds(lines).length).toBeGreaterThan(10)
    expect(lines.slice(-2)).toEqual(['left Full', 'again right'])
  })
})
