import * as E from 'fp-ts/lib/Either.js'
import { fail, type Outcome } from '../../compose/failure.ts'
import { conclude } from '../outcome.ts'
import { count, print, printJson } from '../output.ts'
import { example, type Command } from '../program.ts'
import { settingsOf } from '../settings.ts'
import { auditing, type AuditOptions } from './command.ts'

interface Options extends AuditOptions {
  readonly from?: string
  readonly to?: string
  readonly path?: string
  readonly contents?: boolean
}

/** `eventsync audit export`: evidence that proves itself, in one file. */
export const auditExport = (audit: Command): void => {
  audit
    .command('export')
    .description(
      "on the gateway's side: write a folder's events with all that proves them into one file, which 'audit verify FILE' reads without any server",
    )
    .argument('<file>', 'the file to make')
    .option('--from <moment>', 'only from this position or time on: 4711, 2026-11-20T18:30, "3 days ago"')
    .option('--to <moment>', 'only up to this position or time')
    .option('--path <path>', 'only what is about this path, or lies under it')
    .option('--contents', 'with the contents')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      example(
        '$ eventsync audit export --data /var/lib/eventsync --path contracts/lease.pdf --contents lease.jsonl',
        '$ eventsync audit verify lease.jsonl',
      ),
    )
    .action(async (file: string, _: unknown, command: Command) => conclude(await run(file, command.optsWithGlobals<Options>())))
}

const run = async (file: string, options: Options): Promise<Outcome> => {
  const settings = settingsOf(options)
  if (E.isLeft(settings)) return settings
  const { exportEvidence } = await (await import('../../compose.ts')).auditExport()
  const { from, to, path, contents = false } = options
  return auditing(options, async (audit) => {
    const done = await exportEvidence(settings.right, audit, { file, from, to, path, contents })
    if (E.isLeft(done)) return done
    const { events, chunks, absent } = done.right
    if (options.json === true) printJson({ file, ...done.right })
    else
      print(
        `${file}: ${count(events, 'event')}${contents ? `, ${count(chunks, 'chunk')}` : ''}${absent > 0 ? `; ${count(absent, 'chunk')} are not stored any more` : ''}`,
      )
    if (events > 0) return E.right(undefined)
    return fail('failed', 'nothing of the folder matches: the file proves only that')
  })
}
