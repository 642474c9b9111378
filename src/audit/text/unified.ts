import { diffLines, type LineChange } from './line-diff.ts'

/** Unchanged lines around a change. */
const CONTEXT = 3
const NO_NEWLINE = '\\ No newline at end of file'

const isText = (bytes: Uint8Array): boolean => {
  if (bytes.includes(0)) return false
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

/** The lines of a text, without their ends; undefined where the bytes are none. What ends without a line's end says so in its last line. */
export const textLines = (bytes: Uint8Array): readonly string[] | undefined => {
  if (!isText(bytes)) return undefined
  const lines = new TextDecoder().decode(bytes).split('\n')
  const last = lines.pop() ?? ''
  return last === '' ? lines : [...lines, `${last}\n${NO_NEWLINE}`]
}

/** What `diff -u` says below its two names; nothing where the texts are equal. */
export const unifiedDiff = (before: readonly string[], after: readonly string[]): readonly string[] => {
  const changes = diffLines(before, after)
  return hunks(changes).flatMap(({ from, to }) => {
    const [oldStart, newStart] = [countOf(changes, 0, from, '+'), countOf(changes, 0, from, '-')]
    const [oldCount, newCount] = [countOf(changes, from, to, '+'), countOf(changes, from, to, '-')]
    const header = `@@ -${range(oldStart, oldCount)} +${range(newStart, newCount)} @@`
    return [header, ...changes.slice(from, to).flatMap(({ sign, line }) => `${sign}${line}`.split('\n'))]
  })
}

const countOf = (changes: readonly LineChange[], from: number, to: number, without: '+' | '-'): number => {
  let count = 0
  for (let index = from; index < to; index += 1) if (changes[index]?.sign !== without) count += 1
  return count
}

const range = (start: number, count: number): string => {
  const first = count === 0 ? start : start + 1
  return count === 1 ? String(first) : `${first},${count}`
}

interface Hunk {
  readonly from: number
  readonly to: number
}

/** Stretches of changes with their context; those that touch are one. */
const hunks = (changes: readonly LineChange[]): readonly Hunk[] => {
  const found: Hunk[] = []
  for (const [index, { sign }] of changes.entries()) {
    if (sign === ' ') continue
    const [from, to] = [Math.max(0, index - CONTEXT), Math.min(changes.length, index + CONTEXT + 1)]
    const last = found.at(-1)
    if (last !== undefined && from <= last.to) found[found.length - 1] = { from: last.from, to }
    else found.push({ from, to })
  }
  return found
}
