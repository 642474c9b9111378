import * as E from 'fp-ts/lib/Either.js'
import type { NameBook } from '../../compose/audit.ts'
import type { HistoryEntry } from '../../compose/audit-moments.ts'
import type { Outcome } from '../../compose/failure.ts'
import { conclude } from '../outcome.ts'
import { bytesText } from '../output.ts'
import { example, type Command } from '../program.ts'
import { auditing, type AuditOptions } from './command.ts'
import { jsonLine, textLine, writeLines } from './lines.ts'
import { eventObject, timeText, whoText } from './words.ts'

interface Options extends AuditOptions {
  readonly at?: string
}

/** `eventsync audit tree`: the folder as it was. */
export const auditTree = (audit: Command): void => {
  audit
    .command('tree')
    .description('the folder as it was: every path, the position and time of its version, and who made it')
    .option('--at <moment>', 'after this position or at this time: 4711, 2026-11-20T18:30, "3 days ago" (default: now)')
    .option('--json', 'print one JSON object a line')
    .addHelpText('after', example('$ eventsync audit tree --data /var/lib/eventsync --at "last tuesday 18:00"'))
    .action(async (_: unknown, command: Command) => conclude(await run(command.optsWithGlobals<Options>())))
}

const run = (options: Options): Promise<Outcome> =>
  auditing(options, async (audit) => {
    const at = await audit.at(options.at)
    if (E.isLeft(at)) return at
    const { treeAt } = await (await import('../../compose.ts')).auditMoments()
    const { names } = audit
    return writeLines(treeAt(audit, at.right), (entry) =>
      options.json === true ? jsonLine(eventObject(names, entry)) : tableLine(names, entry),
    )
  })

const tableLine = (names: NameBook, entry: HistoryEntry): string => {
  const { revision, time, path, content } = entry
  const size = { file: bytesText(content.size), symlink: 'link', directory: 'folder' }[content.kind]
  const name = content.kind === 'directory' ? `${path}/` : path
  return textLine(String(revision).padStart(8), timeText(time), whoText(names, entry).padEnd(14), size.padStart(9), name)
}
