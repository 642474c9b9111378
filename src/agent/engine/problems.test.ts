import { describe, expect, it } from 'vitest'
import { path } from '../../../test/support/disk.ts'
import { obstacleOf, Problems, type Obstacle } from './problems.ts'

const a = path('a')
const b = path('b')
const unread: Obstacle = { reason: 'permission denied', side: 'disk', permanent: false }
const unplaced: Obstacle = { reason: 'no space', side: 'version', permanent: false }
const unnameable: Obstacle = { reason: 'too long', side: 'version', permanent: true }

describe('Problems', () => {
  it('are news once, until their reason changes', () => {
    const problems = new Problems()
    expect([problems.block(a, unread, 0), problems.block(a, unread, 1), problems.block(a, { ...unread, reason: 'other' }, 2)]).toEqual([
      true,
      false,
      true,
    ])
    expect(problems.list()).toEqual([{ path: a, reason: 'other' }])
  })

  it('block their path until their pause is over, which grows to a minute', () => {
    const problems = new Problems()
    let now = 0
    const pauses = Array.from({ length: 10 }, () => {
      problems.block(a, unread, now)
      expect(problems.blocks(a)).toBe(true)
      const pause = (problems.next() ?? 0) - now
      now += pause
      expect([problems.takeDue(now - 1), problems.takeDue(now), problems.takeDue(now)]).toEqual([[], [a], []])
      expect([problems.blocks(a), problems.next()]).toEqual([false, undefined])
      return pause
    })
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
  })

  it('are forgotten by the side that they lie on', () => {
    const problems = new Problems()
    problems.block(a, unread, 0)
    problems.clear(a, 'version')
    expect([problems.size, problems.has(a, 'disk'), problems.has(a, 'version')]).toEqual([1, true, false])
    problems.clear(a, 'disk')
    expect([problems.size, problems.blocks(a), problems.has(a, 'disk')]).toEqual([0, false, false])
  })

  it('stand while they are tried again, and begin with a short pause once they were forgotten', () => {
    const problems = new Problems()
    for (const now of [0, 1, 2]) problems.block(a, unplaced, now)
    problems.takeDue(100_000)
    expect([problems.list().length, problems.tried]).toEqual([1, [a]])
    problems.clear(a, 'version')
    problems.block(a, unplaced, 0)
    expect(problems.next()).toBe(500)
  })

  it('count what only the disk has to tell as tried no more by the version', () => {
    const problems = new Problems()
    problems.block(a, unread, 0)
    problems.takeDue(1_000)
    expect(problems.tried).toEqual([])
  })

  it('are all due when somebody waits', () => {
    const problems = new Problems()
    problems.block(a, unread, 1_000)
    problems.block(b, unnameable, 1_000)
    problems.hurry()
    expect(problems.takeDue(0)).toEqual([a, b])
  })

  it('tell which of them nothing here can change', () => {
    const problems = new Problems()
    expect(problems.allPermanent).toBe(true)
    problems.block(a, unnameable, 0)
    expect([problems.allPermanent, problems.isPermanent(a), problems.permanentPaths(10)]).toEqual([true, true, [a]])
    problems.block(b, unread, 0)
    expect([problems.allPermanent, problems.isPermanent(b), problems.permanentPaths(10)]).toEqual([false, false, [a]])
    expect(problems.permanentPaths(0)).toEqual([])
  })
})

describe('obstacleOf', () => {
  it.each([
    ['BadName', true],
    ['NoPermission', false],
    ['NoSpace', false],
    ['BadParent', false],
    ['NotEmpty', false],
    ['Io', false],
  ] as const)('%s: permanent %s', (tag, permanent) => {
    expect(obstacleOf({ tag, reason: 'why' }, 'version')).toEqual({ reason: 'why', side: 'version', permanent })
  })

  it('I14: a clash of names is permanent', () => {
    expect(obstacleOf({ tag: 'NameClash', with: 'A', reason: 'why' }, 'version').permanent).toBe(true)
  })
})
