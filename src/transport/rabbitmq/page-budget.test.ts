import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { PageBudget } from './page-budget.ts'

const KiB = 1024

const made = (): { readonly budget: PageBudget; readonly advance: (ms: number) => void } => {
  let now = 0
  const clock = { monotonic: () => now, wall: () => now, sleep: () => Promise.resolve() }
  return { budget: new PageBudget(clock, randomBytes), advance: (ms) => void (now += ms) }
}

/** Pages of 64 KiB until no more may be sent; their tokens. */
const fill = (budget: PageBudget, agent: string): readonly string[] => {
  const tokens: string[] = []
  for (let token = budget.take(agent, 64 * KiB); token !== undefined; token = budget.take(agent, 64 * KiB)) tokens.push(token)
  return tokens
}

describe('pages that nobody asked for (I16)', () => {
  it('are bounded for whoever says nothing of having read them, and for nobody else', () => {
    const { budget, advance } = made()
    expect(fill(budget, 'ada').length).toBe(15)
    advance(61_000)
    expect(fill(budget, 'ada')).toEqual([])
    expect(fill(budget, 'bob').length).toBe(15)
  })

  it('go on by what their reader says, and by nothing that somebody else says', () => {
    const { budget } = made()
    const tokens = fill(budget, 'ada')
    budget.read('bob', tokens)
    budget.read('ada', [`${tokens[0]}x`, 7])
    expect(fill(budget, 'ada')).toEqual([])
    budget.read('ada', [tokens.at(-1)])
    expect(fill(budget, 'ada').length).toBe(15)
  })

  it('are bounded in a minute all the same', () => {
    const { budget, advance } = made()
    let sent = 0
    const readAll = (): number => {
      const tokens = fill(budget, 'ada')
      budget.read('ada', tokens)
      return tokens.length
    }
    for (let more = readAll(); more > 0; more = readAll()) sent += more
    expect(sent).toBe(64)
    advance(60_000)
    expect(readAll()).toBe(15)
  })
})
