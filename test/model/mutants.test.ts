import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { MUTANTS, mutate, type Mutant } from './mutants.ts'
import { runModel } from './spawn.ts'

/** A mutant that so many schedules do not find is not found. Most are found by one of the first ten. */
const SCHEDULES = 100

const ROOT = new URL('../../', import.meta.url)
const JUDGED = ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I9', 'I12', 'I13', 'I14', 'I15', 'I17', 'I18']

/** Which of the seed's schedules violates the mutant's invariant, as the model says. */
const caughtBy = async ({ invariant, seed }: Mutant, signal: AbortSignal): Promise<string> => {
  const hook = `./test/model/mutate-hook.ts?mutant=${invariant}`
  const { code, output } = await runModel(
    ['--until', invariant, '--seed', String(seed), '--schedules', String(SCHEDULES)],
    ['--import', hook],
    { signal },
  )
  expect(code, `not found: ${output}`).toBe(0)
  console.log(output.trim())
  return /^caught: --path (\d+);/m.exec(output)?.[1] ?? ''
}

describe('a fault in the product is found by the invariant that it breaks', () => {
  test('there is one for each invariant that the model judges, and all still fit the code', () => {
    expect(MUTANTS.map(({ invariant }) => invariant)).toEqual(JUDGED)
    for (const mutant of MUTANTS) expect(mutate(mutant, readFileSync(new URL(mutant.file, ROOT), 'utf8'))).toContain(mutant.replace)
  })

  test('one that does not fit says so', () => {
    const mutant: Mutant = { invariant: 'I1', file: 'a.ts', find: 'x', replace: 'y', why: '', seed: 0 }
    expect(mutate(mutant, 'one x')).toBe('one y')
    expect(() => mutate(mutant, 'none')).toThrow('the mutant for I1 no longer fits: a.ts holds its text 0 times, not once')
    expect(() => mutate(mutant, 'x x')).toThrow('a.ts holds its text 2 times')
  })

  test.for(MUTANTS)('$invariant: $why', async (mutant, { signal }) => {
    const path = await caughtBy(mutant, signal)
    // The same schedule passes where the product is as it is.
    const { output } = await runModel(['--survey', '--seed', String(mutant.seed), '--path', path], [], { signal })
    expect(output).toContain('failed: {}')
  })
})
