import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { parseWhen } from './when.ts'

/** A Monday, at noon of this machine. */
const NOW = new Date(2026, 10, 23, 12, 0, 0).getTime()
const at = (text: string): number | undefined => {
  const when = parseWhen(text, NOW)
  return E.isRight(when) && when.right.tag === 'time' ? when.right.time : undefined
}
const local = (...parts: [number, number, number, number?, number?, number?]): number => new Date(...parts).getTime()

describe('a moment', () => {
  test('is a position where it is a number alone', () => {
    expect(parseWhen('4711', NOW)).toEqual(E.right({ tag: 'position', position: 4711 }))
    expect(parseWhen(' 0 ', NOW)).toEqual(E.right({ tag: 'position', position: 0 }))
  })

  test('is an ISO 8601 time, of this machine where it names no zone', () => {
    expect(at('2026-11-20')).toBe(local(2026, 10, 20))
    expect(at('2026-11-20T18:30')).toBe(local(2026, 10, 20, 18, 30))
    expect(at('2026-11-20 18:30:05')).toBe(local(2026, 10, 20, 18, 30, 5))
    expect(at('2026-11-20T18:30:05.250Z')).toBe(Date.UTC(2026, 10, 20, 18, 30, 5, 250))
    expect(at('2026-11-20T18:30:00+05:30')).toBe(Date.UTC(2026, 10, 20, 13))
    expect(at('2026-11-20T18:30-0100')).toBe(Date.UTC(2026, 10, 20, 19, 30))
  })

  test('is so long ago', () => {
    expect(at('3 days ago')).toBe(local(2026, 10, 20, 12))
    expect(at('90 minutes ago')).toBe(NOW - 90 * 60_000)
    expect(at('1 second ago')).toBe(NOW - 1000)
    expect(at('an hour ago')).toBe(NOW - 3_600_000)
    expect(at('12h')).toBe(NOW - 12 * 3_600_000)
    expect(at('30s')).toBe(NOW - 30_000)
    expect(at('2 weeks ago')).toBe(local(2026, 10, 9, 12))
    expect(at('1 month ago')).toBe(local(2026, 9, 23, 12))
    expect(at('9 months ago')).toBe(local(2026, 1, 23, 12))
    expect(at('2 years ago')).toBe(local(2024, 10, 23, 12))
  })

  test('a month before the 31st is the last day of a shorter month', () => {
    const when = parseWhen('1 month ago', local(2026, 4, 31, 12))
    expect(when).toEqual(E.right({ tag: 'time', time: local(2026, 3, 30, 12) }))
  })

  test('is a day that has begun, or a time of it', () => {
    expect(at('now')).toBe(NOW)
    expect(at('today')).toBe(local(2026, 10, 23))
    expect(at('Yesterday 18:30')).toBe(local(2026, 10, 22, 18, 30))
    expect(at('08:15')).toBe(local(2026, 10, 23, 8, 15))
    expect(at('last Tuesday')).toBe(local(2026, 10, 17))
    expect(at('monday')).toBe(local(2026, 10, 23))
    expect(at('last monday')).toBe(local(2026, 10, 16))
    expect(at('sun 9:00')).toBe(local(2026, 10, 22, 9))
  })

  test('is nothing else, and says what it may be', () => {
    for (const text of ['', 'soon', '2026-02-30', '2026-13-01', '3 parsecs ago', '25:00', '-1', 'last', '2026-11-20T10', 'ago', 't'])
      expect(parseWhen(text, NOW)).toMatchObject({ left: expect.stringContaining('is no moment') as string })
  })
})
