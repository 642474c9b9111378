import * as E from 'fp-ts/lib/Either.js'
import type { Audit, HistoryEvent, NameBook } from '../../compose/audit.ts'
import { ACTION_WORDS } from '../../compose/audit-words.ts'
import { fail, type Outcome } from '../../compose/failure.ts'
import { conclude } from '../outcome.ts'
import { example, type Command } from '../program.ts'
import { stopSignal } from '../stop.ts'
import { ADMIN_COLUMNS, adminJson, adminLine, adminRecord } from './admin-words.ts'
import { auditing, several, type AuditOptions } from './command.ts'
import { csvRecord, jsonLine, writeLines } from './lines.ts'
import { eventLine, eventObject } from './words.ts'

interface Options extends AuditOptions {
  readonly path?: string
  readonly agent?: readonly string[]
  readonly account?: readonly string[]
  readonly action?: readonly string[]
  readonly since?: string
  readonly until?: string
  readonly follow?: boolean
  readonly csv?: boolean
  readonly accountEvents?: boolean
}

/** `eventsync audit log`: who did what when. */
export const auditLog = (audit: Command): void => {
  audit
    .command('log')
    .description('who did what when, in the order of the log')
    .option('--path <pattern>', 'only what is about such paths, as in .gitignore: *.pdf, docs/, /a/*/c, **/x')
    .option('--agent <name>', 'only by this device: its name, its key, or the beginning of that (may be repeated)', several)
    .option('--account <email>', 'only by this account (may be repeated)', several)
    .option('--action <action>', `only ${ACTION_WORDS.join(', ')}, or a type of event (may be repeated)`, several)
    .option('--since <moment>', 'only from this position or after this time on: 4711, 2026-11-20T18:30, "3 days ago"')
    .option('--until <moment>', 'only up to this position or time')
    .option(
      '--account-events',
      "not the folder's events but its account's: devices enrolled, renamed and revoked, sign-ins refused, gateways",
    )
    .option('--follow', 'go on with what comes, until stopped')
    .option('--json', 'print one JSON object a line')
    .option('--csv', 'print CSV (RFC 4180); cells that a spreadsheet would take for a formula begin with an apostrophe')
    .addHelpText(
      'after',
      example(
        '$ eventsync audit log --data /var/lib/eventsync --since yesterday',
        '$ eventsync audit log --data /var/lib/eventsync --path "docs/*.odt" --action deleted --json',
        '$ eventsync audit log --data /var/lib/eventsync --account-events --action SignInsRefused --since "7 days ago"',
      ),
    )
    .action(async (_: unknown, command: Command) => conclude(await run(command.optsWithGlobals<Options>())))
}

const run = async (options: Options): Promise<Outcome> => {
  if (options.json === true && options.csv === true) return fail('usage', 'give either --json or --csv')
  if (options.follow === true && options.until !== undefined) return fail('usage', 'give either --follow or --until')
  if (options.accountEvents === true) return runAccount(options)
  return auditing(options, async (audit) => {
    const { logQuery, logPages } = await (await import('../../compose.ts')).auditLog()
    const query = await logQuery(audit, options)
    if (E.isLeft(query)) return query
    if (options.csv === true) process.stdout.write(csvRecord(COLUMNS))
    return writeLines(logPages(audit, query.right, options.follow === true ? stopSignal() : undefined), lineOf(options, audit))
  })
}

const runAccount = async (options: Options): Promise<Outcome> => {
  const { path, agent, account } = options
  if ([path, agent, account].some((option) => option !== undefined))
    return fail(
      'usage',
      '--account-events is not about paths, and goes by no --agent or --account: narrow it down with --action, --since and --until',
    )
  return auditing(options, async (audit) => {
    const { adminPages } = await (await import('../../compose.ts')).auditAccountLog()
    if (options.csv === true) process.stdout.write(csvRecord(ADMIN_COLUMNS))
    const line = adminLineOf(options)
    return writeLines(adminPages(audit, options, options.follow === true ? stopSignal() : undefined), (event) => line(audit.names, event))
  })
}

const adminLineOf = ({ json, csv }: Options) => {
  if (json === true) return adminJson
  return csv === true ? adminRecord : adminLine
}

const lineOf = ({ json, csv }: Options, { names }: Audit): ((event: HistoryEvent) => string) => {
  if (json === true) return (event) => jsonLine(eventObject(names, event))
  return csv === true ? (event) => csvRecord(cellsOf(names, event)) : (event) => eventLine(names, event)
}

const COLUMNS = [
  'position',
  'time',
  'action',
  'path',
  'from',
  'kind',
  'size',
  'hash',
  'agent',
  'agentName',
  'account',
  'email',
  'proof',
  'detail',
]

const cellsOf = (names: NameBook, event: HistoryEvent): readonly (string | number)[] => {
  const { revision, time, type, path = '', from = '', content, agent, account, proof, detail = '' } = event
  return [
    revision,
    new Date(time).toISOString(),
    type,
    path,
    from,
    content?.kind ?? '',
    content?.size ?? '',
    content?.hash ?? '',
    agent ?? '',
    agent === undefined ? '' : (names.agentName(agent) ?? ''),
    account ?? '',
    account === undefined ? '' : (names.email(account) ?? ''),
    proof,
    detail,
  ]
}
