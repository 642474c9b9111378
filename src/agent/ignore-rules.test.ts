import { describe, expect, it } from 'vitest'
import { path } from '../../test/support/disk.ts'
import type { SyncPath } from '../domain/path.ts'
import { IgnoreRules } from './ignore-rules.ts'

const rules = (files: Readonly<Record<string, string>>): IgnoreRules => {
  const made = new IgnoreRules()
  for (const [directory, text] of Object.entries(files)) made.set(directory === '' ? '' : path(directory), text)
  return made
}

/** What of these is ignored; a directory is written with a slash at its end. */
const ignored = (made: IgnoreRules, names: readonly string[]): string[] =>
  names.filter((name) => (name.endsWith('/') ? made.ignores(path(name.slice(0, -1)), true) : made.ignores(path(name), false)))

describe('IgnoreRules', () => {
  it('ignore nothing where there are none', () => {
    expect(ignored(new IgnoreRules(), ['a', 'b/', '.git/', '.eventsyncignore'])).toEqual([])
  })

  it('have one fingerprint, whatever order they came in, and another when they change', () => {
    const print = (files: Readonly<Record<string, string>>): string => rules(files).fingerprint
    expect(print({})).toBe('')
    expect(print({ '': 'a', d: 'b' })).toBe(print({ d: 'b', '': 'a' }))
    expect(new Set([print({ '': 'a' }), print({ '': 'b' }), print({ d: 'a' }), print({ '': 'a', d: 'a' })]).size).toBe(4)
    const made = rules({ '': 'a' })
    made.set('', undefined)
    expect(made.fingerprint).toBe('')
  })

  it('match names at any depth, and paths from their own directory', () => {
    const made = rules({ '': '*.log\n/top\nd/inner\n' })
    expect(ignored(made, ['a.log', 'd/e/a.log', 'top', 'd/top', 'd/inner', 'e/d/inner', 'a.logs'])).toEqual([
      'a.log',
      'd/e/a.log',
      'top',
      'd/inner',
    ])
  })

  it('with a slash at the end match directories only, and all that lies in them', () => {
    const made = rules({ '': 'build/\n' })
    expect(ignored(made, ['build/', 'build', 'd/build/', 'build/a', 'd/build/e/f'])).toEqual([
      'build/',
      'd/build/',
      'build/a',
      'd/build/e/f',
    ])
  })

  it('can be taken back for a name, but not below an ignored directory, as in git', () => {
    const made = rules({ '': '*.log\n!keep.log\nbuild/\n!build/keep\n', build: '!keep\n' })
    expect(ignored(made, ['a.log', 'keep.log', 'd/keep.log', 'build/keep'])).toEqual(['a.log', 'build/keep'])
  })

  it('of a deeper directory count for it alone, and after those above', () => {
    const made = rules({ '': '*.tmp\n', d: '!*.tmp\n*.bak\n', 'd/e': '*.tmp\n' })
    expect(ignored(made, ['a.tmp', 'd/a.tmp', 'd/e/a.tmp', 'a.bak', 'd/a.bak', 'd/e/f/a.bak', 'dd/a.bak'])).toEqual([
      'a.tmp',
      'd/e/a.tmp',
      'd/a.bak',
      'd/e/f/a.bak',
    ])
  })

  it('keep comments, blanks and escapes of gitignore', () => {
    const made = rules({ '': '# a comment\n\n\\#name\n\\!bang\ntrailing \nspace\\ \n' })
    expect(ignored(made, ['# a comment', '#name', '!bang', 'trailing', 'space '])).toEqual(['#name', '!bang', 'trailing', 'space '])
  })

  it('tell upper case from lower case, as names do here', () => {
    expect(ignored(rules({ '': 'Build/\n*.log\n' }), ['Build/', 'build/', 'a.log', 'A.LOG'])).toEqual(['Build/', 'a.log'])
  })

  it('take names of all kinds', () => {
    const made = rules({ '': '*.log\n' })
    const odd = ['a\nb.log', ' a.log', 'a\\b.log', '..a.log', '-.log', 'ü.log', '\u0001.log', '...']
    expect(ignored(made, odd)).toEqual(odd.slice(0, -1))
  })

  it('ignore everything by a star, their own file included', () => {
    expect(ignored(rules({ '': '*\n' }), ['a', 'd/', '.eventsyncignore'])).toEqual(['a', 'd/', '.eventsyncignore'])
  })

  it('tell whether a new text changes anything', () => {
    const made = new IgnoreRules()
    const d: SyncPath = path('d')
    expect([
      made.set(d, undefined),
      made.set(d, 'a\n'),
      made.set(d, 'a\n'),
      made.has(d),
      made.set(d, 'b\n'),
      made.set(d, undefined),
      made.has(d),
    ]).toEqual([false, true, false, true, true, true, false])
    expect(ignored(made, ['d/a', 'd/b'])).toEqual([])
  })
})
