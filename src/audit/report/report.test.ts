import { describe, expect, it } from 'vitest'
import { EMPTY_HASH } from '../../domain/content.ts'
import type { HistoryEvent } from '../../projections/history/port.ts'
import { path } from '../../../test/support/memory-tree.ts'
import { reportPage, type Report } from './html.ts'
import { createSummary, emptyTally, stretchOf } from './summary.ts'

const HOUR = 60 * 60 * 1000

const event = (fields: Partial<HistoryEvent>): HistoryEvent => ({
  revision: 1,
  type: 'FileCreated',
  time: 0,
  clientTime: undefined,
  account: undefined,
  agent: undefined,
  proof: 'signed',
  path: path('a'),
  from: undefined,
  fileId: undefined,
  content: { kind: 'file', size: 10, hash: EMPTY_HASH, executable: false, modified: '0' },
  detail: undefined,
  ...fields,
})

describe('a report', () => {
  it('counts each kind of change, conflicts, bytes and held deletions, and when they came', () => {
    const { add, summary } = createSummary(0, 10 * HOUR)
    add(event({}))
    add(event({ time: 9.9 * HOUR, path: path('b (conflict laptop 2026-11-23 101010).txt') }))
    add(event({ time: 5 * HOUR, type: 'FileUpdated' }))
    add(event({ time: 5 * HOUR, type: 'FileDeleted', content: undefined }))
    add(event({ time: -HOUR, type: 'DeletionHeld', path: undefined, content: undefined, detail: '{"count":120,"reason":"many"}' }))
    const { total, stretches, senders } = summary()
    expect(total).toEqual({ created: 2, updated: 1, moved: 0, deleted: 1, conflicts: 1, held: 120, approved: 0, bytes: 30 })
    expect(stretches.filter(({ tally }) => tally.created > 0).map(({ from }) => from)).toEqual([0, 9.75 * HOUR])
    expect([...senders.keys()]).toEqual(['signed'])
  })

  it('has a timeline that fits on a page, however long the span', () => {
    for (const span of [0, HOUR, 24 * HOUR, 365 * 24 * HOUR, 100 * 365 * 24 * HOUR])
      expect(createSummary(0, span).summary().stretches.length).toBeLessThanOrEqual(97)
    expect(stretchOf(0, 24 * HOUR)).toBe(HOUR / 4)
  })

  it('is a page that needs nothing beside itself, and in which names are text alone', () => {
    const report: Report = {
      folder: '<script>alert(1)</script>',
      owner: 'a@b.c',
      from: 0,
      to: HOUR,
      firstPosition: 0,
      lastPosition: 9,
      made: HOUR,
      total: emptyTally(),
      senders: [{ name: '"><img src=x onerror=alert(1)>', account: "o'hara@b.c", tally: emptyTally() }],
      stretches: [{ from: 0, tally: emptyTally() }],
      signInsRefused: 20,
    }
    const page = reportPage(report)
    expect(page).not.toMatch(/<(script|img|link|iframe|object|use|image)|https?:|url\(/i)
    expect(page).toContain('&#60;script&#62;alert(1)')
    expect(page).toContain('refused: 20.')
    expect(page).toContain("default-src 'none'")
  })
})
