import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { schedule } from './arbitraries.ts'
import { CrashSignal } from './filesystem/errors.ts'
import { runSchedule, type Verdict } from './run-schedule.ts'
import type { Schedule } from './schedule.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    schedules: { type: 'string', default: '200' },
    steps: { type: 'string', default: '60' },
    /** Replays one case of that seed, as fast-check names it. */
    path: { type: 'string' },
    /** Labels of violations to pass over, while what they found is being mended. */
    ignore: { type: 'string', multiple: true, default: [] },
  },
})

const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const schedules = Number(values.schedules)
const steps = Number(values.steps)

// A killed process's code ends with a signal that nobody waits for.
process.on('unhandledRejection', (error) => {
  if (error instanceof CrashSignal) return
  console.error(`model: unhandled rejection (seed ${seed})`, error)
  process.exit(1)
})

const property = fc.asyncProperty(schedule(steps), fc.integer(), async (each: Schedule, worldSeed: number) => {
  const violations = (await runSchedule(each, worldSeed)).violations.filter(({ invariant }) => !values.ignore.includes(invariant))
  if (violations.length > 0) throw new Error(violations.map(({ invariant, text }) => `${invariant}: ${text}`).join('\n'))
})

const explain = async (each: Schedule, worldSeed: number): Promise<Verdict> => {
  const verdict = await runSchedule(each, worldSeed, true)
  console.log(JSON.stringify({ ...each, steps: [] }))
  console.log(each.steps.map((step) => JSON.stringify(step)).join('\n'))
  console.log(verdict.trace)
  return verdict
}

const started = performance.now()
const result = await fc.check(property, { seed, numRuns: values.path === undefined ? schedules : 1, endOnFailure: false, ...(values.path === undefined ? {} : { path: values.path }) })
const seconds = (performance.now() - started) / 1000
if (result.failed && result.counterexample !== null) {
  const [each, worldSeed] = result.counterexample
  const { violations } = await explain(each, worldSeed)
  console.log(`\n${violations.map(({ invariant, text }) => `${invariant}: ${text}`).join('\n')}`)
  if (violations.length === 0) console.log(result.errorInstance)
  console.log(`\nfailed after ${result.numRuns} schedules (${result.numShrinks} shrinks); replay: bin/node24 test/model/run.ts --seed ${seed} --steps ${steps} --path ${result.counterexamplePath}`)
  process.exitCode = 1
} else console.log(`${result.numRuns} schedules passed in ${seconds.toFixed(1)} s (${(result.numRuns / seconds).toFixed(1)} a second); seed ${seed}`)
