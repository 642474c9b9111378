import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { conflictPath, isConflictName, originalOf } from './conflict-name.ts'
import { nameOf, parsePath, type SyncPath } from './path.ts'

const path = (text: string): SyncPath => {
  const parsed = parsePath(text)
  if (E.isLeft(parsed)) throw new Error(parsed.left.reason)
  return parsed.right
}

/** 2024-05-06 07:08:09 UTC, in nanoseconds. */
const THEN = '1714979289123456789'
const STAMP = '2024-05-06 070809'

const bytesOf = (text: string): number => Buffer.byteLength(text)

describe('conflictPath', () => {
  it.each([
    ['file.txt', `file (conflict laptop ${STAMP}).txt`],
    ['no extension', `no extension (conflict laptop ${STAMP})`],
    ['d/e/file.tar.gz', `d/e/file.tar (conflict laptop ${STAMP}).gz`],
    ['.bashrc', `.bashrc (conflict laptop ${STAMP})`],
    ['.config.json', `.config (conflict laptop ${STAMP}).json`],
    ['ends with a dot.', `ends with a dot (conflict laptop ${STAMP}).`],
    ['a.very-long-ending-that-is-none', `a.very-long-ending-that-is-none (conflict laptop ${STAMP})`],
    ['line\nbreak.txt', `line\nbreak (conflict laptop ${STAMP}).txt`],
  ])('of %j is %j', (from, to) => {
    expect(conflictPath(path(from), 'laptop', THEN)).toBe(to)
  })

  it('takes the place of an earlier such suffix', () => {
    const first = conflictPath(path('d/file.txt'), 'laptop', THEN)
    expect(conflictPath(first, 'desktop', '0')).toBe('d/file (conflict desktop 1970-01-01 000000).txt')
    const digits = conflictPath(path('d/file.txt'), 'laptop', THEN, '0123456789abcdef')
    expect(digits).toBe(`d/file (conflict laptop ${STAMP} 01234567).txt`)
    expect(conflictPath(digits, 'laptop', THEN)).toBe(first)
  })

  it('leaves out of an agent name what cannot stand in it', () => {
    expect(conflictPath(path('a'), ' (my) lap/top\n', THEN)).toBe(`a (conflict my laptop ${STAMP})`)
    expect(conflictPath(path('a'), '()', THEN)).toBe(`a (conflict device ${STAMP})`)
    expect(bytesOf(conflictPath(path('a'), 'ü'.repeat(500), THEN))).toBeLessThan(120)
  })

  it('takes any time that a file can have', () => {
    expect(conflictPath(path('a'), 'x', '-999999999999999999')).toBe('a (conflict x 1970-01-01 000000)')
    expect(conflictPath(path('a'), 'x', '99999999999999999999999999')).toBe('a (conflict x 9999-12-31 235959)')
  })

  const anyName = fc.stringMatching(/^[^/\0]{1,80}$/u).filter((name) => E.isRight(parsePath(name)))
  const anyAgent = fc.string({ maxLength: 80, unit: 'grapheme' })

  it('is a valid path of at most 255 bytes whose original is the original, cut where it is too long', () => {
    fc.assert(
      fc.property(anyName, anyAgent, fc.bigInt({ min: 0n, max: 4_102_444_800_000_000_000n }), (name, agent, modified) => {
        const original = originalOf(path(name))
        if (isConflictName(original) || original === '') return
        const copy = conflictPath(path(name), agent, String(modified))
        expect(E.isRight(parsePath(copy))).toBe(true)
        expect(bytesOf(nameOf(copy))).toBeLessThanOrEqual(255)
        expect(isConflictName(copy)).toBe(true)
        expect(conflictPath(path(name), agent, String(modified))).toBe(copy)
      }),
    )
  })

  it('cuts names of several bytes a character at a character', () => {
    const long = path(`${'ü'.repeat(125)}.txt`)
    const copy = conflictPath(long, 'laptop', THEN)
    expect(bytesOf(copy)).toBeLessThanOrEqual(255)
    expect(bytesOf(copy)).toBeGreaterThan(250)
    expect(copy.isWellFormed()).toBe(true)
    expect(copy).toMatch(/^ü+ \(conflict laptop .*\)\.txt$/)
    const emoji = conflictPath(path('😀'.repeat(63)), 'laptop', THEN)
    expect(bytesOf(emoji)).toBeLessThanOrEqual(255)
    expect(emoji.isWellFormed()).toBe(true)
  })
})

describe('a conflict name', () => {
  it.each(['a (conflict x 2024-05-06 070809)', 'a (conflict  2024-05-06 070809).txt', 'a (conflict x y 2024-05-06 070809 01234567).txt'])(
    '%j is one',
    (name) => {
      expect(isConflictName(name)).toBe(true)
    },
  )

  it.each(['a', 'a (conflict)', 'a (conflict x)', 'a(conflict x 2024-05-06 070809)', 'a (conflict x 2024-05-06)'])('%j is none', (name) => {
    expect(isConflictName(name)).toBe(false)
  })

  it('tells its original', () => {
    expect(originalOf(path(`d/file (conflict laptop ${STAMP}).txt`))).toBe('d/file.txt')
    expect(originalOf(path('d/file.txt'))).toBe('d/file.txt')
  })
})
