import { describe, expect, it } from 'vitest'
import { path } from '../../../test/support/disk.ts'
import { LookQueue } from './look-queue.ts'

const a = path('a')
const b = path('b')
const ALL = 1_000_000

const queue = (): { readonly looks: LookQueue; readonly wakes: () => number } => {
  let wakes = 0
  return { looks: new LookQueue(() => void (wakes += 1)), wakes: () => wakes }
}

describe('LookQueue', () => {
  it('gives each path once, in the order of asking, and wakes at each', () => {
    const { looks, wakes } = queue()
    for (const each of [a, b, a]) looks.add(each, 0)
    expect(wakes()).toBe(3)
    expect([looks.empty, looks.dueNow]).toEqual([false, true])
    expect(looks.take(0, ALL)).toEqual([a, b])
    expect([looks.empty, looks.dueNow, looks.next()]).toEqual([true, false, undefined])
  })

  it('gives no more than asked for', () => {
    const { looks } = queue()
    for (const each of [a, b]) looks.add(each, 0)
    expect([looks.take(0, 1), looks.take(0, 1), looks.take(0, 1)]).toEqual([[a], [b], []])
  })

  it('keeps a path that is to be looked at later until then, and the soonest of several times', () => {
    const { looks } = queue()
    looks.add(a, 100, 50)
    looks.add(a, 100, 20)
    looks.add(a, 100, 80)
    looks.add(b, 100, 200)
    expect([looks.take(119, ALL), looks.next(), looks.empty, looks.dueNow]).toEqual([[], 120, false, false])
    expect([looks.take(120, ALL), looks.next()]).toEqual([[a], 300])
  })

  it('makes a path due at once that is asked for without a delay, and keeps it so', () => {
    const { looks } = queue()
    looks.add(a, 0, 50)
    looks.add(a, 0)
    looks.add(a, 0, 50)
    expect([looks.take(0, ALL), looks.empty]).toEqual([[a], true])
  })

  it('lets a path wait longer and longer that is sent again and again, and no other', () => {
    const { looks } = queue()
    const pauses = Array.from({ length: 14 }, (_, sent) => {
      looks.sent(a, sent)
      looks.add(a, sent)
      const next = looks.next()
      looks.hurry()
      looks.take(sent, ALL)
      return next === undefined ? 0 : next - sent
    })
    expect(pauses).toEqual([0, 0, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120, 10_000, 10_000, 10_000])
    looks.add(b, 14)
    expect(looks.take(14, ALL)).toEqual([b])
    expect([looks.isHot(a, 14), looks.isHot(b, 14)]).toEqual([true, false])
  })

  it('forgets that a path was sent often once it rests', () => {
    const { looks } = queue()
    for (const now of [0, 1, 2, 3]) looks.sent(a, now)
    expect(looks.isHot(a, 10)).toBe(true)
    looks.sent(a, 10_000)
    expect(looks.isHot(a, 10_000)).toBe(false)
  })

  it('makes all due when somebody waits', () => {
    const { looks, wakes } = queue()
    looks.add(a, 0, 1_000)
    looks.hurry()
    expect([looks.take(0, ALL), wakes()]).toEqual([[a], 2])
  })

  it('tells once that it was asked for more than it keeps, and keeps no more', () => {
    const { looks } = queue()
    for (let each = 0; each < 60_000; each += 1) looks.add(path(`f${each}`), 0, each % 2 === 0 ? 0 : 1_000)
    expect([looks.takeOverflow(), looks.takeOverflow()]).toEqual([true, false])
    looks.hurry()
    expect(looks.take(0, ALL)).toHaveLength(50_000)
  })
})
