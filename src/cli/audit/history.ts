import type { NameBook } from '../../compose/audit.ts'
import type { KeptEvent } from '../../compose/audit-versions.ts'
import { actionWord } from '../../compose/audit-words.ts'
import type { Outcome } from '../../compose/failure.ts'
import { conclude } from '../outcome.ts'
import { example, type Command } from '../program.ts'
import { auditing, type AuditOptions } from './command.ts'
import { jsonLine, textLine, writeLines } from './lines.ts'
import { eventObject, timeText, whatText, whoText } from './words.ts'

/** `eventsync audit history`: what happened to this file? */
export const auditHistory = (audit: Command): void => {
  audit
    .command('history')
    .description('what happened to this file: every version across its names, and the files that had the name before it')
    .argument('<path>', 'a path inside the folder, as it is now or ever was')
    .option('--json', 'print one JSON object a line; `released`: since when retention does not keep its content')
    .addHelpText('after', example('$ eventsync audit history docs/plan.odt --data /var/lib/eventsync'))
    .action(async (path: string, _: unknown, command: Command) => conclude(await run(path, command.optsWithGlobals<AuditOptions>())))
}

const run = (path: string, options: AuditOptions): Promise<Outcome> =>
  auditing(options, async (audit) => {
    const { historyOf } = await (await import('../../compose.ts')).auditVersions()
    let file: string | undefined
    return writeLines(historyOf(audit, path), (event) => {
      if (options.json === true) return jsonLine(objectOf(audit.names, event))
      const another = file !== undefined && file !== event.fileId ? textLine('-- then another file had the name --') : ''
      file = event.fileId
      return `${another}${tableLine(audit.names, event)}`
    })
  })

/** As much of a hash as tells a file's versions apart at a glance. */
const HASH_DIGITS = 12

const objectOf = (names: NameBook, { released, ...event }: KeptEvent): object => ({
  ...eventObject(names, event),
  ...(released === undefined ? {} : { released: new Date(released).toISOString() }),
})

const tableLine = (names: NameBook, event: KeptEvent): string =>
  textLine(
    String(event.revision).padStart(8),
    timeText(event.time),
    whoText(names, event).padEnd(14),
    actionWord(event.type).padEnd(9),
    (event.content?.hash.slice(0, HASH_DIGITS) ?? '').padEnd(HASH_DIGITS),
    whatText(event),
    event.released === undefined ? '' : `content released on ${timeText(event.released)}`,
  )
