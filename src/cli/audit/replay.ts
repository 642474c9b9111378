import * as E from 'fp-ts/lib/Either.js'
import type { Replayed } from '../../compose/audit-replay.ts'
import { fail, type Outcome } from '../../compose/failure.ts'
import { conclude } from '../outcome.ts'
import { bytesText, count, print, printable, printJson, remark } from '../output.ts'
import { example, type Command } from '../program.ts'
import { settingsOf } from '../settings.ts'
import type { AuditOptions } from './command.ts'

/** `eventsync audit replay`: is what the gateway answers by what the log says? */
export const auditReplay = (audit: Command): void => {
  audit
    .command('replay')
    .description('make every projection anew from the first event, and compare it with the live one row by row; exits 6 where they differ')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      example('$ eventsync audit replay --data /var/lib/eventsync') +
        `\n
A folder as it was after any event: eventsync audit restore --at POSITION --to DIR. One event after the other: eventsync audit log --follow.`,
    )
    .action(async (_: unknown, command: Command) => conclude(await run(command.optsWithGlobals<AuditOptions>())))
}

const SAY_EVERY_MS = 2000

const run = async (options: AuditOptions): Promise<Outcome> => {
  const settings = settingsOf(options)
  if (E.isLeft(settings)) return settings
  const { replay } = await (await import('../../compose.ts')).auditReplay()
  let next = performance.now() + SAY_EVERY_MS
  const replayed = await replay(settings.right, (events) => {
    if (!process.stderr.isTTY || performance.now() < next) return
    next = performance.now() + SAY_EVERY_MS
    remark(`${count(events, 'event')} replayed`)
  })
  if (E.isLeft(replayed)) return replayed
  const { events, seconds, peakMemory, projections } = replayed.right
  const differences = Object.values(projections).flatMap(({ differences: found }) => found)
  if (options.json === true)
    printJson({ ok: differences.length === 0, events, seconds, eventsPerSecond: Math.round(events / seconds), peakMemory, projections })
  else tell(replayed.right)
  return differences.length === 0
    ? E.right(undefined)
    : fail(
        'damaged',
        'the live projections are not what the log makes of them: stop the gateway, remove projections.db (and state.db), and start it, which makes them anew',
      )
}

const tell = ({ events, seconds, peakMemory, projections }: Replayed): void => {
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
}
