/**
 * `npm run bench -- [WORKLOAD…] [--profile distributed] [--runs N] [--json FILE] [--dir DIRECTORY]`: the workloads of docs/performance.md with real processes, each in a
 * fresh directory; a table on stdout, and the same as JSON. With EVENTSYNC_BENCH_PROFILE=DIRECTORY each process leaves its CPU profiles there.
 * What a run wrote stays, until `npm run bench -- --clean [--dir DIRECTORY]`.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { distributed, embedded } from './support/backend.ts'
import { Bench, type Workload } from './support/bench.ts'
import { clean, keptIn, newRoot } from './support/kept.ts'
import { describeMachine } from './support/machine.ts'
import { limitOf, median, passes, type Measure } from './support/measure.ts'
import { tableOf } from './support/report.ts'
import { audit } from './workloads/audit.ts'
import { delta, rename } from './workloads/delta.ts'
import { largeFile, smallFiles } from './workloads/first-sync.ts'
import { gateway } from './workloads/gateway.ts'
import { gateways } from './workloads/gateways.ts'
import { idleFiles } from './workloads/idle.ts'
import { burst, latency } from './workloads/latency.ts'
import { log } from './workloads/log.ts'

const WORKLOADS: readonly Workload[] = [smallFiles, largeFile, delta, latency, burst, rename, idleFiles, gateway, log, audit]
/** Only where they are named: they need servers that are not part of EventSync. */
const BY_NAME: readonly Workload[] = [gateways]

const PROFILES = { embedded: async () => embedded, distributed } as const
type Profile = keyof typeof PROFILES
const isProfile = (name: string): name is Profile => Object.hasOwn(PROFILES, name)

/** DESIGN.md, section 9, has one bar for the distributed profile: a file's latency, three times the embedded one's. */
const barOfDistributed = (workload: string, { bar, ...measure }: Measure): Measure =>
  workload === latency.name && bar !== undefined && 'atMost' in bar ? { ...measure, bar: { atMost: 3 * bar.atMost } } : measure

const usage = (): never => {
  console.error(`usage: npm run bench -- [WORKLOAD…] [--profile embedded|distributed] [--runs N] [--json FILE] [--dir DIRECTORY]
       npm run bench -- --clean [--dir DIRECTORY]\n`)
  for (const { name, about } of [...WORKLOADS, ...BY_NAME]) console.error(`  ${name.padEnd(18)} ${about}`)
  process.exit(2)
}

const options = () => {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        profile: { type: 'string', default: 'embedded' },
        runs: { type: 'string', default: '3' },
        json: { type: 'string' },
        dir: { type: 'string', default: tmpdir() },
        clean: { type: 'boolean', default: false },
      },
    })
    const runs = Number(values.runs)
    const { profile } = values
    if (!isProfile(profile)) return usage()
    const isMeasurable = ({ embeddedOnly }: Workload): boolean => profile === 'embedded' || embeddedOnly !== true
    const named = [...WORKLOADS, ...BY_NAME].filter((workload) => isMeasurable(workload) && positionals.includes(workload.name))
    const chosen = positionals.length === 0 ? WORKLOADS.filter(isMeasurable) : named
    if (!Number.isInteger(runs) || runs < 1 || named.length < new Set(positionals).size) return usage()
    return { runs, chosen, profile, json: values.json, dir: values.dir, cleaning: values.clean }
  } catch {
    return usage()
  }
}

const resultsFile = (): string => join(import.meta.dirname, 'results', `${new Date().toISOString().replaceAll(/[:.]/g, '-')}.json`)

const main = async (): Promise<void> => {
  const { runs, chosen, profile, json = resultsFile(), dir, cleaning } = options()
  if (cleaning) return console.error(`removed what ${clean(dir)} runs left; the next one should begin in six minutes at the earliest`)
  const root = newRoot(dir)
  await using backends = await PROFILES[profile](join(root, 'servers'))
  const bench = new Bench(root, runs, backends)
  const machine = describeMachine(root)
  const measures: Measure[] = []
  const failures: string[] = []
  for (const { name, run } of chosen) {
    bench.say(name)
    try {
      const measured = await run(bench)
      measures.push(...(profile === 'embedded' ? measured : measured.map((measure) => barOfDistributed(name, measure))))
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
      bench.say(`  failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    }
  }
  const results = measures.map((measure) => ({
    ...measure,
    median: median(measure.values),
    limit: limitOf(measure),
    pass: passes(measure),
  }))
  mkdirSync(dirname(json), { recursive: true })
  writeFileSync(json, `${JSON.stringify({ at: new Date().toISOString(), profile, machine, runs, results, failures }, null, 2)}\n`)
  console.log(
    `${machine.cores} cores, Linux ${machine.kernel}, fsync ${machine.fsyncMs.toFixed(2)} ms, Node ${machine.node}, load ${machine.load.toFixed(1)} at the start, ${runs} runs\n`,
  )
  console.log(tableOf(measures))
  for (const failure of failures) console.log(`\nnot measured: ${failure}`)
  console.error(`\nwritten to ${json}\nthe runs' files are kept in ${root}`)
  const kept = keptIn(dir).length
  if (kept > 0)
    console.error(`${kept} earlier runs left theirs: npm run bench -- --clean removes them (and slows down what is measured right after)`)
  process.exitCode = failures.length > 0 ? 1 : 0
}

await main()
