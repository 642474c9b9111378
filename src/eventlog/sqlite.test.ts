import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase } from '../lib/sqlite.ts'
import type { NewEvent } from './port.ts'
import { openSqliteLog, openSqliteLogReader } from './sqlite.ts'

let file: string
beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), 'sqlite-log-')), 'log.db')
})
afterEach(() => rmSync(join(file, '..'), { recursive: true }))

const opened = () => openDatabase(file, { synchronous: 'FULL' })

const event = (n: number): NewEvent => ({
  id: `00000000-0000-5000-8000-${String(n).padStart(12, '0')}`,
  type: 'FileCreated',
  data: `{"n":${n}}`,
  metadata: '{}',
  chain: n.toString(16).padStart(64, '0'),
})

describe('openSqliteLog', () => {
  it('refuses a log that a newer version wrote, and leaves it as it is', () => {
    using db = opened()
    db.exec('PRAGMA user_version = 2')
    expect(() => openSqliteLog(db)).toThrow('this log has format 2; this version of EventSync reads up to 1')
    expect(() => openSqliteLogReader(file)).toThrow('format 2')
    expect(db.prepare('SELECT * FROM sqlite_schema').all()).toEqual([])
  })

  it('stands beside other tables of the same database', () => {
    using db = opened()
    db.exec('CREATE TABLE tree (path TEXT)')
    openSqliteLog(db)
    expect(() => openSqliteLog(db)).not.toThrow()
  })

  it('throws out of a subscription where the database cannot be read', async () => {
    const db = opened()
    const log = openSqliteLog(db)
    db.close()
    const batches = log.subscribe('start', new AbortController().signal)[Symbol.asyncIterator]()
    await expect(batches.next()).rejects.toThrow('finalized')
  })

  it('answers an append as locked where another connection holds the lock too long', async () => {
    using db = opened()
    using other = opened()
    const log = openSqliteLog(db)
    db.exec('PRAGMA busy_timeout = 1')
    other.exec('BEGIN IMMEDIATE')
    const answer = await log.append('a', 'none', [event(0)])()
    expect(answer).toMatchObject(E.left({ tag: 'Unavailable' }))
    other.exec('ROLLBACK')
    expect(E.isRight(await log.append('a', 'none', [event(0)])())).toBe(true)
  })
})

describe('openSqliteLogReader', () => {
  it('reads beside the writer, page by page, and sees what comes', async () => {
    using db = opened()
    const log = openSqliteLog(db)
    await log.append('a', 'none', [event(0), event(1), event(2)])()
    using reader = openSqliteLogReader(file)
    const [first, second] = reader.readAllSync(0n, 2)
    expect([first, second]).toMatchObject([{ ...event(0), stream: 'a', revision: 0 }, event(1)])
    expect(reader.readAllSync(second!.position.order, 10)).toMatchObject([event(2)])
    await log.append('b', 'none', [event(3)])()
    expect(reader.readAllSync(second!.position.order, 10)).toMatchObject([event(2), { ...event(3), stream: 'b' }])
  })

  it('I16: ends a page early where its events are large, and leaves none out', async () => {
    using db = opened()
    const log = openSqliteLog(db)
    const count = 300
    for (let n = 0; n < count; n += 1) {
      const appended = await log.append('a', n === 0 ? 'none' : n - 1, [{ ...event(n), data: JSON.stringify('x'.repeat(50_000)) }])()
      expect(E.isRight(appended)).toBe(true)
    }
    using reader = openSqliteLogReader(file)
    const sizes: number[] = []
    for (let page = reader.readAllSync(0n, 10_000); page.length > 0; page = reader.readAllSync(page.at(-1)!.position.order, 10_000))
      sizes.push(page.length)
    expect(Math.max(...sizes)).toBeLessThan(count / 2)
    expect(sizes.reduce((sum, size) => sum + size)).toBe(count)
  })

  it('refuses a database without a log, and a file that is not there', () => {
    opened().close()
    expect(() => openSqliteLogReader(file)).toThrow('holds no event log')
    expect(() => openSqliteLogReader(`${file}.absent`)).toThrow('unable to open')
  })
})
