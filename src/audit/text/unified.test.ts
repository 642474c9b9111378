import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { diffLines } from './line-diff.ts'
import { textLines, unifiedDiff } from './unified.ts'

const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 30 })

describe('the difference of two texts', () => {
  test('leads from one to the other, and keeps all that they share in the shortest way', () => {
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const changes = diffLines(before, after)
        expect(changes.filter(({ sign }) => sign !== '+').map(({ line }) => line)).toEqual(before)
        expect(changes.filter(({ sign }) => sign !== '-').map(({ line }) => line)).toEqual(after)
        expect(changes.filter(({ sign }) => sign === ' ')).toHaveLength(longestCommon(before, after))
      }),
      { numRuns: 1000 },
    )
  })

  test('of texts with nothing in common is all of both, however long they are', () => {
    const [before, after] = [0, 1].map((side) => Array.from({ length: 20_000 }, (_, n) => `${side} ${n}`)) as [string[], string[]]
    expect(diffLines(before, after)).toHaveLength(40_000)
  })

  test('is what git apply takes', () => {
    const place = mkdtempSync(join(tmpdir(), 'es-diff-'))
    try {
      const text = fc.tuple(lines, fc.boolean()).map(([each, open]) => each.join('\n') + (open || each.length === 0 ? '' : '\n'))
      fc.assert(
        fc.property(text, text, (before, after) => {
          const [old, fresh] = [textLines(Buffer.from(before)), textLines(Buffer.from(after))]
          const diff = unifiedDiff(old ?? [], fresh ?? [])
          fc.pre(diff.length > 0 && before !== '' && after !== '')
          writeFileSync(join(place, 'file'), before)
          execFileSync('git', ['apply', '-p0', '-'], { cwd: place, input: `--- file\n+++ file\n${diff.join('\n')}\n` })
          expect(readFileSync(join(place, 'file'), 'utf8')).toBe(after)
        }),
        { numRuns: 60 },
      )
    } finally {
      rmSync(place, { recursive: true })
    }
  })

  test('is told of texts alone', () => {
    expect(textLines(Buffer.from('one\ntwo\n'))).toEqual(['one', 'two'])
    expect(textLines(Buffer.from([0x61, 0, 0x62]))).toBeUndefined()
    expect(textLines(Buffer.from([0xff, 0xfe]))).toBeUndefined()
    expect(unifiedDiff(['same'], ['same'])).toEqual([])
  })
})

const longestCommon = (a: readonly string[], b: readonly string[]): number => {
  const table = Array.from({ length: a.length + 1 }, () => Array.from({ length: b.length + 1 }, () => 0))
  for (let i = 1; i <= a.length; i += 1)
    for (let j = 1; j <= b.length; j += 1)
      table[i]![j] = a[i - 1] === b[j - 1] ? table[i - 1]![j - 1]! + 1 : Math.max(table[i - 1]![j]!, table[i]![j - 1]!)
  return table[a.length]![b.length]!
}
