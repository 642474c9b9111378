import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { runModel } from './spawn.ts'

/** How many schedules in all, and the seed of the first worker's; any number by EVENTSYNC_MODEL_SCHEDULES and EVENTSYNC_MODEL_SEED. */
const SCHEDULES = Number(process.env['EVENTSYNC_MODEL_SCHEDULES'] ?? '1000')
const SEED = Number(process.env['EVENTSYNC_MODEL_SEED'] ?? 1)
const WORKERS = 2
/** Time for each schedule on a busy machine, and for the start. */
const TIMEOUT_MS = 60_000 + SCHEDULES * 1_000

/** A run that does not end is killed before its test is given up, and says which schedule it was. */
const DEADLINE_MS = TIMEOUT_MS - 10_000

const REGRESSIONS = new URL('regressions/', import.meta.url)

describe.concurrent('I1-I8, I12-I15, I17, I18 hold in every schedule', () => {
  for (let worker = 0; worker < WORKERS; worker++) {
    const seed = SEED + worker
    test(`${SCHEDULES / WORKERS} random schedules, seed ${seed}`, { timeout: TIMEOUT_MS }, async ({ signal }) => {
      const args = ['--seed', String(seed), '--schedules', String(Math.ceil(SCHEDULES / WORKERS))]
      const { code, output } = await runModel(args, [], { signal, deadlineMs: DEADLINE_MS })
      expect(code, output).toBe(0)
      console.log(output.trim())
    })
  }
})

describe('schedules that once failed', () => {
  for (const file of readdirSync(REGRESSIONS).filter((name) => name.endsWith('.json'))) {
    test(file, { timeout: TIMEOUT_MS }, async ({ signal }) => {
      const { code, output } = await runModel(['--replay', `test/model/regressions/${file}`], [], { signal, deadlineMs: DEADLINE_MS })
      expect(code, output).toBe(0)
    })
  }
})
