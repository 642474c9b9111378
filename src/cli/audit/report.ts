import { writeFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import type { Report } from '../../compose/audit-report.ts'
import { fail, type Outcome } from '../../compose/failure.ts'
import { conclude } from '../outcome.ts'
import { bytesText, print, printable, printJson, printTable, remark } from '../output.ts'
import { example, type Command } from '../program.ts'
import { auditing, type AuditOptions } from './command.ts'
import { csvRecord } from './lines.ts'

interface Options extends AuditOptions {
  readonly since?: string
  readonly until?: string
  readonly csv?: boolean
  readonly html?: string
}

/** `eventsync audit report`: a span of time, summed up. */
export const auditReport = (audit: Command): void => {
  audit
    .command('report')
    .description('what happened in a span of time, summed up by device and account: changes, bytes, deletions, conflicts, held deletions')
    .option('--since <moment>', 'from this position or after this time on: 4711, 2026-11-20, "30 days ago" (default: the first)')
    .option('--until <moment>', 'up to this position or time (default: now)')
    .option('--csv', 'print CSV, one line a device')
    .option('--html <file>', 'write one page that needs nothing beside itself, good to print')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      example(
        '$ eventsync audit report --since "30 days ago" --data /var/lib/eventsync',
        '$ eventsync audit report --since 2026-10-01 --until 2026-11-01 --html october.html',
      ),
    )
    .action(async (_: unknown, command: Command) => conclude(await run(command.optsWithGlobals<Options>())))
}

const run = (options: Options): Promise<Outcome> => {
  const { since, until, csv, json, html } = options
  if ([csv === true, json === true, html !== undefined].filter(Boolean).length > 1)
    return Promise.resolve(fail('usage', 'give one of --csv, --json and --html'))
  return auditing(options, async (audit) => {
    const { report, reportPage } = await (await import('../../compose.ts')).auditReport()
    const found = await report(audit, since, until)
    if (E.isLeft(found)) return found
    if (html !== undefined) return writePage(html, reportPage(found.right))
    if (json === true) printJson(objectOf(found.right))
    else if (csv === true) for (const line of recordsOf(found.right)) process.stdout.write(line)
    else printText(found.right)
    return E.right(undefined)
  })
}

const writePage = (file: string, page: string): Outcome => {
  try {
    writeFileSync(file, page, { flag: 'wx' })
  } catch (error) {
    const reason = error instanceof Error && 'code' in error && error.code === 'EEXIST' ? 'it is there already' : String(error)
    return fail('failed', `${file} cannot be written: ${reason}`)
  }
  remark(`${file} is written.`)
  return E.right(undefined)
}

const COLUMNS = ['created', 'updated', 'moved', 'deleted', 'conflicts', 'held', 'approved', 'bytes'] as const

const time = (at: number): string => new Date(at).toISOString()

const objectOf = ({ stretches, from, to, made, ...rest }: Report): object => ({
  ...rest,
  from: time(from),
  to: time(to),
  made: time(made),
  timeline: stretches.map(({ from: start, tally }) => ({ from: time(start), ...tally })),
})

const recordsOf = ({ senders, total }: Report): readonly string[] => [
  csvRecord(['device', 'account', ...COLUMNS]),
  ...senders.map(({ name, account, tally }) => csvRecord([name, account, ...COLUMNS.map((column) => tally[column])])),
  csvRecord(['all', '', ...COLUMNS.map((column) => total[column])]),
]

const printText = ({ owner, folder, from, to, firstPosition, lastPosition, senders, total, signInsRefused }: Report): void => {
  print(printable(`${owner}: ${folder}, ${time(from)} to ${time(to)}, positions ${firstPosition} to ${lastPosition}`))
  print('')
  const cells = (tally: Report['total']): readonly string[] =>
    COLUMNS.map((column) => (column === 'bytes' ? bytesText(tally.bytes) : String(tally[column])))
  printTable([
    ['device', 'account', ...COLUMNS],
    ...senders.map(({ name, account, tally }) => [printable(name), printable(account), ...cells(tally)]),
    ['all', '', ...cells(total)],
  ])
  print('')
  print(`Sign-ins to the account that were refused: ${signInsRefused}.`)
}
