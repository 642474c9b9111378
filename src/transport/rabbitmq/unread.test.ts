import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Unread } from './unread.ts'

const MiB = 1024 * 1024

const made = (): { readonly unread: Unread; readonly advance: (ms: number) => void } => {
  let now = 0
  const clock = { monotonic: () => now, wall: () => now, sleep: () => Promise.resolve() }
  return { unread: new Unread(clock, randomBytes), advance: (ms) => void (now += ms) }
}

/** Answers of 4 MiB until no more fits; their tokens. */
const fill = (unread: Unread, id: string, user: string): readonly string[] => {
  const tokens: string[] = []
  while (unread.fits({ id, user }, 4 * MiB)) tokens.push(unread.sent({ id, user }, 4 * MiB))
  return tokens
}

describe('what is answered and not read', () => {
  it('is bounded for each channel, and for all channels of a user together', () => {
    const { unread } = made()
    expect(fill(unread, 'one', 'ada').length).toBeLessThan(12)
    expect(unread.fits({ id: 'two', user: 'ada' }, 4 * MiB)).toBe(true)
    expect(unread.fits({ id: 'one', user: 'bob' }, 4 * MiB)).toBe(true)
    let all = 0
    for (let channel = 0; channel < 1000; channel += 1) all += fill(unread, `channel ${channel}`, 'ada').length
    expect(all * 4).toBeLessThanOrEqual(128)
    expect(unread.fits({ id: 'one', user: 'bob' }, 4 * MiB)).toBe(true)
  })

  it('is free again by the token of the last that was read, which tells of all before it', () => {
    const { unread } = made()
    const tokens = fill(unread, 'one', 'ada')
    unread.read('ada', [tokens[2]])
    expect(fill(unread, 'one', 'ada')).toHaveLength(3)
    unread.read('ada', tokens)
    unread.read('ada', tokens)
    expect(fill(unread, 'one', 'ada')).toHaveLength(tokens.length - 3)
  })

  it('is not free by what is made up, said by somebody else, or of another gateway', () => {
    const [{ unread }, { unread: other }] = [made(), made()]
    const tokens = fill(unread, 'one', 'ada')
    const [gateway, line] = tokens[0]?.split('.') ?? []
    const wrong = [
      ...fill(other, 'one', 'ada'),
      `${gateway}.${line}.5.guess`,
      `${gateway}.${line}.-1.`,
      `${gateway}.99.0.`,
      '',
      '....',
      7,
      null,
    ]
    for (const each of [wrong, 'text', undefined, 7, {}]) unread.read('ada', each)
    unread.read('bob', tokens)
    expect(unread.fits({ id: 'one', user: 'ada' }, 4 * MiB)).toBe(false)
  })

  it('leaves room for some words that say why, and not for words without end', () => {
    const { unread } = made()
    fill(unread, 'one', 'ada')
    let words = 0
    for (; unread.fits({ id: 'one', user: 'ada' }, 200, true); words += 1) unread.sent({ id: 'one', user: 'ada' }, 200)
    expect(words).toBeGreaterThan(100)
    expect(words).toBeLessThan(6000)
  })

  it('is not free by using ever new channels, and is forgotten some minutes after the last of them', () => {
    const { unread, advance } = made()
    for (let channel = 0; channel < 200; channel += 1)
      if (unread.fits({ id: `${channel}`, user: 'ada' }, MiB)) unread.sent({ id: `${channel}`, user: 'ada' }, MiB)
    expect(unread.fits({ id: 'new', user: 'ada' }, MiB)).toBe(false)
    advance(301_000)
    unread.read('ada', [])
    expect(unread.fits({ id: 'new', user: 'ada' }, MiB)).toBe(true)
  })
})
