import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseGlob } from './glob.ts'
import type { SyncPath } from './path.ts'

// Paths of the tests' own making.
const path = (text: string): SyncPath => text as SyncPath
const matching = (glob: string, paths: readonly string[]): string[] => paths.filter((each) => parseGlob(glob).matches(path(each)))

describe('a pattern of paths', () => {
  test('without a slash is looked for at any depth, and takes what lies under it along', () => {
    const paths = ['a.pdf', 'docs/a.pdf', 'docs/deep/b.pdf', 'docs/a.pdf.txt', 'x.pdf/inside']
    expect(matching('*.pdf', paths)).toEqual(['a.pdf', 'docs/a.pdf', 'docs/deep/b.pdf', 'x.pdf/inside'])
    expect(matching('docs', paths)).toEqual(['docs/a.pdf', 'docs/deep/b.pdf', 'docs/a.pdf.txt'])
  })

  test('with a slash is held at the root', () => {
    const paths = ['a.pdf', 'docs/a.pdf', 'old/docs/a.pdf', 'docs/deep/a.pdf']
    expect(matching('/a.pdf', paths)).toEqual(['a.pdf'])
    expect(matching('docs/*.pdf', paths)).toEqual(['docs/a.pdf'])
    expect(matching('docs/', paths)).toEqual(['docs/a.pdf', 'old/docs/a.pdf', 'docs/deep/a.pdf'])
    expect(matching('docs/**/a.pdf', paths)).toEqual(['docs/a.pdf', 'docs/deep/a.pdf'])
    expect(matching('**/docs/a.pdf', paths)).toEqual(['docs/a.pdf', 'old/docs/a.pdf'])
  })

  test('knows single characters and sets', () => {
    const paths = ['a1', 'a2', 'ab', 'a', 'a[1]', 'a-']
    expect(matching('a?', paths)).toEqual(['a1', 'a2', 'ab', 'a-'])
    expect(matching('a[0-9]', paths)).toEqual(['a1', 'a2'])
    expect(matching('a[!0-9]', paths)).toEqual(['ab', 'a-'])
    expect(matching('a[[]1]', paths)).toEqual(['a[1]'])
    expect(matching('a[', ['a['])).toEqual(['a['])
  })

  test('all paths match `**`, and the empty pattern', () => {
    expect(matching('**', ['a', 'a/b'])).toEqual(['a', 'a/b'])
    expect(matching('', ['a', 'a/b'])).toEqual(['a', 'a/b'])
  })

  const piece = fc.constantFrom('a', 'b', '*', '**', '?', '/', '[ab]', '[!a]', '.')
  const globs = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''))
  const someName = fc.array(fc.constantFrom('a', 'b', '.', '['), { minLength: 1, maxLength: 4 }).map((chars) => chars.join(''))
  const paths = fc.array(someName, { minLength: 1, maxLength: 4 }).map((names) => path(names.join('/')))
  const regex = (wider: string): RegExp =>
    new RegExp(
      `^${Array.from(wider)
        .map((char) => ({ '*': '[^]*', '?': '[^]' })[char] ?? char.replace(/[.[\]\\/]/, '\\$&'))
        .join('')}$`,
    )

  test('starts with its prefix, and is matched by its wider form', () => {
    fc.assert(
      fc.property(globs, paths, (text, each) => {
        const glob = parseGlob(text)
        fc.pre(glob.matches(each))
        expect(each.startsWith(glob.prefix)).toBe(true)
        expect(each).toMatch(regex(glob.wider))
      }),
      { numRuns: 2000 },
    )
  })

  test('takes no time to speak of, whatever it is', () => {
    const glob = parseGlob(`${'*a'.repeat(300)}b`)
    expect(glob.matches(path('a'.repeat(4000)))).toBe(false)
  })
})
