import type { SyncPath } from './path.ts'

/** A pattern of paths, understood. */
export interface Glob {
  readonly matches: (path: SyncPath) => boolean
  /** What every path that matches starts with. */
  readonly prefix: string
  /** A pattern in which `*` stands for any characters, slashes too, and `?` for one: it matches all that this one does, and maybe more. */
  readonly wider: string
}

export const MAX_GLOB = 1024

type Token = { readonly tag: 'char'; readonly char: string } | { readonly tag: 'one' } | { readonly tag: 'any' } | SetToken
interface SetToken {
  readonly tag: 'set'
  readonly negated: boolean
  readonly ranges: readonly (readonly [string, string])[]
}

/** `**` as a whole name: any number of names, none too. */
type Part = '**' | readonly Token[]

/**
 * Reads a pattern as `.gitignore` has them: `*` is any part of a name, `?` one character, `[a-z]` and `[!a-z]` a set, `**` any number of
 * names; without a slash inside it is looked for at any depth, and a slash at its start or inside holds it at the root. What lies under a
 * match matches too. Matching takes time in proportion to pattern times path, whatever the pattern: it may come from outside.
 */
export const parseGlob = (text: string): Glob => {
  const bare = text.replace(/^\/+/, '').replace(/\/+$/, '')
  const anywhere = !text.startsWith('/') && !bare.includes('/')
  const names = bare.split('/').filter((name) => name !== '')
  const parts: Part[] = [...(anywhere ? (['**'] as const) : []), ...names.map((name) => (name === '**' ? name : tokens(name))), '**']
  return { matches: (path) => matchParts(parts, path.split('/')), prefix: prefixOf(parts), wider: widerOf(parts) }
}

const tokens = (name: string): readonly Token[] => {
  const read: Token[] = []
  const chars = Array.from(name)
  for (let at = 0; at < chars.length; at += 1) {
    const char = chars[at] ?? ''
    const close = char === '[' ? chars.indexOf(']', chars[at + 1] === '!' || chars[at + 1] === '^' ? at + 3 : at + 2) : -1
    if (close > 0) read.push(setOf(chars.slice(at + 1, close)))
    else if (char === '*') read.push({ tag: 'any' })
    else if (char === '?') read.push({ tag: 'one' })
    else read.push({ tag: 'char', char })
    if (close > 0) at = close
  }
  return read
}

const setOf = (inside: readonly string[]): Token => {
  const negated = inside[0] === '!' || inside[0] === '^'
  const chars = negated ? inside.slice(1) : inside
  const ranges: (readonly [string, string])[] = []
  for (let at = 0; at < chars.length; at += 1) {
    const from = chars[at] ?? ''
    const to = chars[at + 1] === '-' ? chars[at + 2] : undefined
    ranges.push([from, to ?? from])
    if (to !== undefined) at += 2
  }
  return { tag: 'set', negated, ranges }
}

/** Two indexes, and the one place to go back to: the last star. What stood before it has matched already, and need not be tried anew. */
const matchWith = <P, T>(pattern: readonly P[], text: readonly T[], isStar: (part: P) => boolean, fits: (part: P, item: T) => boolean) => {
  let [p, t, star, resume] = [0, 0, -1, 0]
  while (t < text.length) {
    const part = pattern[p]
    const item = text[t]
    if (part !== undefined && isStar(part)) {
      star = p
      resume = t
      p += 1
    } else if (part !== undefined && item !== undefined && fits(part, item)) {
      p += 1
      t += 1
    } else if (star >= 0) {
      resume += 1
      p = star + 1
      t = resume
    } else return false
  }
  return pattern.slice(p).every(isStar)
}

const fits = (token: Token, char: string): boolean => {
  switch (token.tag) {
    case 'char':
      return token.char === char
    case 'set':
      return token.ranges.some(([from, to]) => from <= char && char <= to) !== token.negated
    default:
      return true
  }
}

const matchName = (pattern: readonly Token[], name: string): boolean =>
  matchWith(pattern, Array.from(name), ({ tag }) => tag === 'any', fits)

const matchParts = (parts: readonly Part[], names: readonly string[]): boolean =>
  matchWith(
    parts,
    names,
    (part) => part === '**',
    (part, name) => part !== '**' && matchName(part, name),
  )

const isPlain = (part: Part): part is readonly Extract<Token, { tag: 'char' }>[] => part !== '**' && part.every(({ tag }) => tag === 'char')

const plainText = (part: readonly Token[]): string => part.map((token) => (token.tag === 'char' ? token.char : '')).join('')

const prefixOf = (parts: readonly Part[]): string => {
  const special = parts.findIndex((part) => !isPlain(part))
  const whole = parts.slice(0, special).map((part) => (part === '**' ? '' : plainText(part)))
  const next = parts[special]
  const begun =
    next === undefined || next === '**'
      ? []
      : next.slice(
          0,
          next.findIndex(({ tag }) => tag !== 'char'),
        )
  // What lies under a match begins with it, but so does the match itself: the slash after the last whole name is not sure.
  const sure = begun.length > 0 || (next !== undefined && next !== '**')
  return `${whole.join('/')}${sure && whole.length > 0 ? '/' : ''}${plainText(begun)}`
}

const WIDER: Readonly<Record<Token['tag'], string | undefined>> = { char: undefined, one: '?', any: '*', set: '?' }
const SPECIAL = new Set(['*', '?', '['])

const widerName = (part: readonly Token[]): string =>
  part.map((token) => (token.tag === 'char' && !SPECIAL.has(token.char) ? token.char : (WIDER[token.tag] ?? '?'))).join('')

/** `**` takes the slashes beside it with it: it may stand for no name at all. */
const widerOf = (parts: readonly Part[]): string =>
  parts
    .map((part, index) => {
      if (part === '**') return '*'
      const slash = index > 0 && parts[index - 1] !== '**' ? '/' : ''
      return `${slash}${widerName(part)}`
    })
    .join('')
    .replaceAll(/\*+/g, '*')
