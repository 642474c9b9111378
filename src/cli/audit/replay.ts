import * as E from 'fp-ts/lib/Either.js'
import type { Replayed } from '../../compose/audit-replay.ts'
import { fail, type Outcome } from '../../compose/failure.ts'
import { conclude } from '../outcome.ts'
import { bytesText, count, print, printable, printJson, remark } from '../output.ts'
import { example, type Command } from '../program.ts'
import { settingsOf } from '../settings.ts'
import type { AuditOptions } from './command.ts'
import { step } from './step.ts'

interface Options extends AuditOptions {
  readonly until?: string
  readonly to?: string
  readonly step?: boolean
}

const HELP = `
Without --until, everything that the gateway derives from its log is compared. With it, only the log up to that moment is replayed, and the folder's tree is compared
with what 'eventsync audit tree --at' says of that moment. Whether the log itself is what the devices signed, 'eventsync audit verify' tells.`

/** `eventsync audit replay`: is what the gateway answers by what the log says? */
export const auditReplay = (audit: Command): void => {
  audit
    .command('replay')
    .description('make every projection anew from the first event, and compare it with the live one row by row; exits 6 where they differ')
    .option('--until <moment>', 'only up to this position or time of the folder: 4711, 2026-11-20T18:30, "3 days ago"')
    .option('--to <dir>', 'then put the folder as it was replayed into an empty or new directory')
    .option('--step', 'walk through the events of the folder instead: Enter shows the next one, q ends')
    .option('--json', 'print one JSON object; with --step one for each event, without waiting')
    .addHelpText(
      'after',
      example(
        '$ eventsync audit replay --data /var/lib/eventsync',
        '$ eventsync audit replay --data /var/lib/eventsync --until "last tuesday 18:00" --to ./tuesday',
        '$ eventsync audit replay --data /var/lib/eventsync --step --until 100',
      ) + `\n${HELP}`,
    )
    .action(async (_: unknown, command: Command) => conclude(await run(command.optsWithGlobals<Options>())))
}

const SAY_EVERY_MS = 2000

const run = async (options: Options): Promise<Outcome> => {
  const { until, to, folder } = options
  if (options.step === true) return to === undefined ? step(options, until) : fail('usage', 'give either --step or --to')
  const settings = settingsOf(options)
  if (E.isLeft(settings)) return settings
  const { replay } = await (await import('../../compose.ts')).auditReplay()
  const asked = {
    env: process.env,
    ...(folder === undefined ? {} : { folder }),
    ...(until === undefined ? {} : { until }),
    ...(to === undefined ? {} : { to }),
  }
  const replayed = await replay(settings.right, asked, {
    progress: progressTeller(),
    left: ({ path, reason }) => remark(printable(`left  ${path}: ${reason}`)),
  })
  if (E.isLeft(replayed)) return replayed
  const { events, seconds, peakMemory, projections, folder: made } = replayed.right
  const differences = Object.values(projections).flatMap(({ differences: found }) => found)
  if (options.json === true)
    printJson({
      ok: differences.length === 0,
      events,
      seconds,
      eventsPerSecond: Math.round(events / seconds),
      peakMemory,
      projections,
      ...made,
    })
  else tell(replayed.right)
  if (differences.length > 0) return differ(until)
  const left = made?.materialised?.left ?? 0
  return left === 0
    ? E.right(undefined)
    : fail('failed', `${count(left, 'path')} could not be put there: the lines that begin with "left" say why`)
}

const differ = (until: string | undefined): Outcome =>
  fail(
    'damaged',
    until === undefined
      ? 'the live projections are not what the log makes of them: stop the gateway, remove projections.db (and state.db), and start it, which makes them anew'
      : 'the live history does not tell of that moment what the log makes of it: stop the gateway, remove projections.db, and start it, which makes it anew',
  )

const progressTeller = (): ((events: number) => void) => {
  let next = performance.now() + SAY_EVERY_MS
  return (events) => {
    if (!process.stderr.isTTY || performance.now() < next) return
    next = performance.now() + SAY_EVERY_MS
    remark(`${count(events, 'event')} replayed`)
  }
}

const tell = ({ events, seconds, peakMemory, projections, folder }: Replayed): void => {
  print(
    `${count(events, 'event')} replayed and compared in ${seconds.toFixed(1)} s (${Math.round(events / seconds)} a second), at most ${bytesText(peakMemory)} of memory.`,
  )
  for (const [projection, { rows, differences }] of Object.entries(projections)) {
    for (const [table, compared] of Object.entries(rows)) {
      const difference = differences.find((each) => each.table === table)
      if (difference === undefined) print(`  ${projection}, ${table}: ${count(compared, 'row')}, all equal`)
      else {
        print(printable(`  ${projection}, ${table}: row ${difference.row} differs`))
        print(printable(`    live:     ${difference.live ?? 'none'}`))
        print(printable(`    replayed: ${difference.replayed ?? 'none'}`))
      }
    }
  }
  if (folder?.materialised === undefined) return
  const { directory, paths, bytes } = folder.materialised
  print(printable(`The folder at position ${folder.position} is in ${directory}: ${count(paths, 'path')}, ${bytesText(bytes)}.`))
}
