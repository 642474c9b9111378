import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isDamage, openDatabase } from '../lib/sqlite.ts'
import type { NewEvent, RecordedEvent, ScanDamage } from './port.ts'
import { openSqliteScan } from './sqlite-scan.ts'
import { openSqliteLog } from './sqlite.ts'

let directory = ''
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'es-scan-'))))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const file = () => join(directory, 'log.db')

const eventOf = (number: number): NewEvent => ({
  id: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
  type: 'Something',
  data: JSON.stringify({ number, text: 'x'.repeat(number % 7 === 0 ? 9000 : 100) }),
  metadata: '{}',
  chain: number.toString(16).padStart(64, '0'),
})

const EVENTS = 600

const isEmpty = (list: unknown): boolean => Array.isArray(list) && list.length === 0

const fill = async (): Promise<void> => {
  using db = openDatabase(file(), { synchronous: 'OFF' })
  await using log = openSqliteLog(db)
  for (let number = 0; number < EVENTS; number += 1) {
    const stream = `stream-${number % 3}`
    const revision = Math.floor(number / 3)
    const appended = await log.append(stream, revision === 0 ? 'none' : revision - 1, [eventOf(number)])()
    if (E.isLeft(appended)) throw new Error(appended.left.tag)
  }
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
}

const scan = async (): Promise<{ readonly events: readonly RecordedEvent[]; readonly damage: readonly ScanDamage[] }> => {
  await using log = openSqliteScan(file())
  const events: RecordedEvent[] = []
  const damage: ScanDamage[] = []
  for await (const page of log.pages()) {
    if (E.isLeft(page)) throw new Error(page.left.reason)
    events.push(...page.right.events)
    damage.push(...page.right.damage)
  }
  return { events, damage }
}

const change = (sql: string): void => {
  using db = openDatabase(file(), { synchronous: 'OFF' })
  db.exec(`PRAGMA foreign_keys = OFF; ${sql}`)
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
}

describe('a scan of the embedded log', () => {
  it('gives all events in their order, and finds each again', async () => {
    await fill()
    const { events, damage } = await scan()
    expect(damage).toEqual([])
    expect(events.map(({ data }) => data)).toEqual(Array.from({ length: EVENTS }, (_, number) => eventOf(number).data))
    await using log = openSqliteScan(file())
    expect(await log.event('stream-1', 7)).toEqual(events[22])
    expect(await log.event('stream-1', EVENTS)).toBeUndefined()
  })

  it('tells of records that are none, and of an index that names others', async () => {
    await fill()
    change("UPDATE events SET data = x'07' WHERE position = 5; UPDATE events SET stream = 99 WHERE position = 9")
    const { events, damage } = await scan()
    expect(events).toHaveLength(EVENTS - 2)
    expect(damage).toMatchObject([{ kind: 'format', at: { stream: 'stream-1', revision: 1 } }, { kind: 'format' }])
  })

  it('goes on behind pages that SQLite finds damaged, and says what it lost', async () => {
    await fill()
    const bytes = readFileSync(file())
    const page = 4096
    for (let at = 0; at < 5; at += 1) bytes.fill(0xff, (20 + at * 9) * page, (20 + at * 9) * page + 100)
    writeFileSync(file(), bytes)
    const { events, damage } = await scan()
    expect(damage.length).toBeGreaterThan(0)
    expect(damage.map(({ kind }) => kind)).toContain('unreadable')
    expect(events.length).toBeGreaterThan(EVENTS / 4)
    expect(events.length).toBeLessThan(EVENTS)
  })

  it('never throws, whichever byte of the file is another one', async () => {
    await fill()
    const whole = readFileSync(file())
    const before = await scan()
    for (let at = 100; at < whole.length; at += 7919) {
      const bytes = Buffer.from(whole)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8))
      writeFileSync(file(), bytes)
      const found = await scan().catch((error: unknown) => error)
      // What is read is what was written, or it differs where a chain shows it, or the scan says so, or the whole file can't be opened.
      if (found instanceof Error) expect(isDamage(found)).toBe(true)
      else if (typeof found === 'object' && found !== null && 'damage' in found && isEmpty(found.damage))
        expect(found).toMatchObject({ events: { length: before.events.length } })
    }
  })
})
