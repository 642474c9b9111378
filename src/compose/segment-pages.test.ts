import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { altering, flipText, writeEvidence } from '../../test/support/audit-damage.ts'
import { auditWorld, verifying, type Evidence } from '../../test/support/audit-world.ts'
import { openSqliteScan } from '../eventlog/sqlite-scan.ts'
import { openDatabase } from '../lib/sqlite.ts'
import { segmentPages } from './segment-pages.ts'

let good: Evidence
beforeAll(async () => {
  good = (await auditWorld()).evidence()
})
let directory = ''
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'es-segments-'))))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const file = () => join(directory, 'log.db')

const write = (evidence: Evidence, sql = ''): void => {
  writeEvidence(evidence, directory)
  using db = openDatabase(file(), { synchronous: 'OFF' })
  db.exec(`CREATE UNIQUE INDEX events_by_stream ON events (stream, revision); ${sql}; PRAGMA wal_checkpoint(TRUNCATE)`)
}

/** By one thread alone, and by threads that read a few records at a time. */
const bothWays = async () => {
  await using scan = openSqliteScan(file())
  const one = await verifying(good, { scan })
  const threads = segmentPages(scan, { log: file(), trusted: new Map() }, { rows: 4, fromRows: 0 })
  const seen = { segments: 0, pages: 0 }
  const pages: typeof threads = async function* (known) {
    for await (const page of threads(known)) {
      seen[page._tag === 'Right' && 'segment' in page.right ? 'segments' : 'pages'] += 1
      yield page
    }
  }
  return { one, other: await verifying(good, { scan, pages }), seen }
}

it('finds a whole log whole, mostly in segments that threads have checked', async () => {
  write(good)
  const { one, other, seen } = await bothWays()
  expect(other).toEqual(one)
  expect(other.faults).toEqual([])
  expect(seen.segments).toBeGreaterThan(4)
  // What begins the log, and what may have come meanwhile.
  expect(seen.pages).toBe(2)
})

it('I9: tells of what was altered just as one thread does', async () => {
  const event = good.events.findLast(({ type }) => type === 'FileUpdated')
  if (event === undefined) throw new Error('no update')
  write(altering(good, event, (each) => ({ ...each, data: flipText(each.data, 1001) })))
  const { one, other, seen } = await bothWays()
  expect(other).toEqual(one)
  expect(other.faults[0]).toMatchObject({ stream: event.stream, revision: event.revision })
  expect(seen.segments).toBeGreaterThan(4)
})

it('tells of records that are none, and goes on behind what the database finds damaged', async () => {
  write(good, "UPDATE events SET data = x'07' WHERE position = 12")
  const record = await bothWays()
  expect(record.other).toEqual(record.one)
  expect(record.other.faults.map(({ kind }) => kind)).toContain('format')
  const bytes = readFileSync(file())
  const page = 4096
  bytes.fill(0xff, 8 * page, 8 * page + 100)
  writeFileSync(file(), bytes)
  const pages = await bothWays()
  expect(pages.other).toEqual(pages.one)
  expect(pages.other.faults.map(({ kind }) => kind)).toContain('unreadable')
})
