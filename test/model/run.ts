import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { schedule } from './arbitraries.ts'
import { CrashSignal } from './filesystem/errors.ts'
import { runSchedule } from './run-schedule.ts'
import type { Schedule } from './schedule.ts'
import { Livelock } from './scheduler.ts'
import type { Violation } from './trace.ts'

const USAGE = `bin/node24 test/model/run.ts [--seed S] [--schedules N] [--steps N]   runs schedules; shrinks, explains and can save the first that fails
  --path P        replays one case of that seed (fast-check's name for it)
  --save FILE     where to write the schedule that failed
  --replay FILE   runs a saved schedule
  --survey        runs all, shrinks nothing, and counts what fails
  --until LABEL   runs, shrinking nothing, until a schedule violates LABEL, and says which
  --ignore LABEL  passes over violations with that label
  --tell          says on stderr which schedule begins, so that one that never ends is known`

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    seed: { type: 'string' },
    schedules: { type: 'string', default: '200' },
    steps: { type: 'string', default: '60' },
    path: { type: 'string' },
    save: { type: 'string' },
    replay: { type: 'string' },
    survey: { type: 'boolean', default: false },
    until: { type: 'string' },
    tell: { type: 'boolean', default: false },
    ignore: { type: 'string', multiple: true, default: [] },
  },
})

const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const schedules = Number(values.schedules)
const steps = Number(values.steps)

/** So long a failed schedule is made smaller. */
const SHRINKING_MS = 60_000

/** As much of a violation's text is shown where it is only named. */
const SHOWN = 200

/** A schedule and the seed of its chances. */
type Case = readonly [Schedule, number]

// A killed process's code ends with a signal that nobody waits for; so does one that is stopped because it would not end.
process.on('unhandledRejection', (error) => {
  if (error instanceof CrashSignal || error instanceof Livelock) return
  console.error(`model: unhandled rejection (seed ${seed})`, error)
  process.exit(1)
})

let begun = 0

const violationsOf = async ([each, worldSeed]: Case): Promise<readonly Violation[]> => {
  if (values.tell) console.error(`begins: --seed ${seed} --steps ${steps} --path ${values.path ?? begun}`)
  begun += 1
  return (await runSchedule(each, worldSeed)).violations.filter(({ invariant }) => !values.ignore.includes(invariant))
}

const listed = (violations: readonly Violation[]): string => violations.map(({ invariant, text }) => `${invariant}: ${text}`).join('\n')

/** Runs a case once more, and prints all that happens in it. */
const explain = async ([each, worldSeed]: Case): Promise<void> => {
  const verdict = await runSchedule(each, worldSeed, true)
  console.log(JSON.stringify({ ...each, steps: [] }))
  console.log(each.steps.map((step) => JSON.stringify(step)).join('\n'))
  console.log(verdict.trace)
  console.log(`\n${listed(verdict.violations)}`)
}

const rate = (count: number, started: number): string => {
  const seconds = (performance.now() - started) / 1000
  return `${count} schedules in ${seconds.toFixed(1)} s (${(count / seconds).toFixed(1)} a second)`
}

/** The seed's cases, one after the other, as far as they are asked for; or the one that `--path` names. */
const cases = (): readonly Case[] => {
  const only = values.path === undefined ? { numRuns: schedules } : { numRuns: 1, path: values.path }
  return fc.sample(fc.tuple(schedule(steps), fc.integer()), { seed, ...only })
}

/** Counts the schedules that violate each invariant; ends early where `last` says so. */
const survey = async (last: (violations: readonly Violation[], index: number) => boolean = () => false): Promise<void> => {
  const started = performance.now()
  const counts: Record<string, number> = {}
  let ran = 0
  for (const each of cases()) {
    const violations = await violationsOf(each)
    for (const label of new Set(violations.map(({ invariant }) => invariant))) counts[label] = (counts[label] ?? 0) + 1
    const [first] = violations
    if (first !== undefined) console.log(`failed: --path ${ran}; ${first.invariant}: ${JSON.stringify(first.text.slice(0, SHOWN))}`)
    ran += 1
    if (last(violations, ran - 1)) break
  }
  console.log(`${rate(ran, started)}; seed ${seed}; failed: ${JSON.stringify(counts)}`)
}

const until = async (label: string): Promise<void> => {
  process.exitCode = 1
  await survey((violations, index) => {
    const found = violations.find(({ invariant }) => invariant === label)
    if (found === undefined) return false
    console.log(`caught: --path ${index}; ${label}: ${JSON.stringify(found.text.slice(0, SHOWN))}`)
    process.exitCode = 0
    return true
  })
}

const replay = async (file: string): Promise<void> => {
  // Written by `--save`.
  const saved = JSON.parse(readFileSync(file, 'utf8')) as Case
  const violations = await violationsOf(saved)
  if (violations.length === 0) return console.log(`passed: ${file}`)
  await explain(saved)
  process.exitCode = 1
}

const check = async (): Promise<void> => {
  const started = performance.now()
  let failedAt = Number.POSITIVE_INFINITY
  const property = fc.asyncProperty(schedule(steps), fc.integer(), async (each: Schedule, worldSeed: number) => {
    if (performance.now() - failedAt > SHRINKING_MS) return
    const violations = await violationsOf([each, worldSeed])
    if (violations.length > 0) failedAt = Math.min(failedAt, performance.now())
    if (violations.length > 0) throw new Error(listed(violations))
  })
  const only = values.path === undefined ? { numRuns: schedules } : { numRuns: 1, path: values.path }
  const result = await fc.check(property, { seed, ...only })
  if (!result.failed || result.counterexample === null) return console.log(`passed: ${rate(result.numRuns, started)}; seed ${seed}`)
  await explain(result.counterexample)
  if (values.save !== undefined) writeFileSync(values.save, JSON.stringify(result.counterexample))
  const again = `bin/node24 test/model/run.ts --seed ${seed} --steps ${steps} --path ${result.counterexamplePath}`
  console.log(`\nfailed after ${result.numRuns} schedules (${result.numShrinks} shrinks), seed ${seed}; replay: ${again}`)
  process.exitCode = 1
}

if (values.help) console.log(USAGE)
else if (values.replay !== undefined) await replay(values.replay)
else if (values.until !== undefined) await until(values.until)
else await (values.survey ? survey() : check())
