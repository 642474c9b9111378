import * as E from 'fp-ts/lib/Either.js'
import type { HistoryEvent, NameBook } from '../../compose/audit.ts'
import type { PathChange } from '../../compose/audit-moments.ts'
import { fail, type Outcome } from '../../compose/failure.ts'
import { conclude } from '../outcome.ts'
import { bytesText, print, printable, printJson, remark } from '../output.ts'
import { example, type Command } from '../program.ts'
import { auditing, type AuditOptions } from './command.ts'
import { jsonLine, textLine, writeLines } from './lines.ts'
import { eventObject } from './words.ts'

interface Options extends AuditOptions {
  readonly from?: string
  readonly to?: string
}

/** `eventsync audit diff`: what changed between two moments. */
export const auditDiff = (audit: Command): void => {
  audit
    .command('diff')
    .description('what differs between two moments, path by path; or between two versions of a text, line by line')
    .argument('[path@moment]', 'the version of a file to compare, instead of two moments of the folder')
    .argument('[path@moment]', 'the version to compare it with (default: that path now)')
    .option('--from <moment>', 'the earlier one: a position or a time (4711, 2026-11-20T18:30, "3 days ago")')
    .option('--to <moment>', 'the later one (default: now)')
    .option('--json', 'print one JSON object a line')
    .addHelpText(
      'after',
      example(
        '$ eventsync audit diff --data /var/lib/eventsync --from yesterday --to "1 hour ago"',
        '$ eventsync audit diff docs/plan.txt@4711 docs/plan.txt@4800 --data /var/lib/eventsync',
      ),
    )
    .action(async (a: string | undefined, b: string | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      conclude(await (a === undefined ? moments(options) : versions(a, b, options)))
    })
}

const versions = async (a: string, b: string | undefined, options: Options): Promise<Outcome> => {
  if (options.from !== undefined || options.to !== undefined) return fail('usage', 'give either versions of a file, or --from and --to')
  return auditing(options, async (audit) => {
    const { compareVersions } = await (await import('../../compose.ts')).auditVersions()
    const compared = await compareVersions(audit, a, b)
    if (E.isLeft(compared)) return compared
    const { before, after, same, lines } = compared.right
    if (options.json === true)
      printJson({
        before: eventObject(audit.names, before.event),
        after: eventObject(audit.names, after.event),
        same,
        lines: lines ?? null,
      })
    else if (same) remark(`${before.name} and ${after.name} hold the same bytes`)
    else if (lines === undefined)
      print(printable(`${sideText(before)} and ${sideText(after)} differ: at least one is no text, or too large`))
    else for (const line of [`--- ${before.name}`, `+++ ${after.name}`, ...lines]) print(shown(line))
    return E.right(undefined)
  })
}

const sideText = ({ name, event }: { readonly name: string; readonly event: HistoryEvent }): string =>
  `${name} (${bytesText(event.content?.size ?? 0)}, ${event.content?.hash ?? ''})`

/** A text's own tabs are harmless. */
const shown = (line: string): string => (process.stdout.isTTY ? line.split('\t').map(printable).join('\t') : line)

const moments = async (options: Options): Promise<Outcome> => {
  if (options.from === undefined) return fail('usage', 'name the earlier of two moments with --from, or two versions of a file')
  return auditing(options, async (audit) => {
    const [from, to] = [await audit.at(options.from), await audit.at(options.to)]
    if (E.isLeft(from)) return from
    if (E.isLeft(to)) return to
    if (from.right > to.right) return fail('usage', `--from (position ${from.right}) is later than --to (position ${to.right})`)
    const { changesBetween } = await (await import('../../compose.ts')).auditMoments()
    const pages = changesBetween(audit, { from: from.right, to: to.right })
    return writeLines(pages, (change) => (options.json === true ? jsonLine(changeObject(audit.names, change)) : tableLine(change)))
  })
}

const kindOf = ({ before, after }: PathChange): 'added' | 'removed' | 'changed' => {
  if (before === undefined) return 'added'
  return after === undefined ? 'removed' : 'changed'
}

const sizeOf = (side: PathChange['before']): string => {
  if (side === undefined) return ''
  return side.content.kind === 'file' ? bytesText(side.content.size) : { directory: 'folder', symlink: 'link' }[side.content.kind]
}

const tableLine = (change: PathChange): string => {
  const { path, before, after, cameFrom, wentTo } = change
  const sizes = [sizeOf(before), sizeOf(after)].filter((size) => size !== '')
  const moved = [...(cameFrom === undefined ? [] : [`was ${cameFrom}`]), ...(wentTo === undefined ? [] : [`moved to ${wentTo}`])]
  return textLine(kindOf(change).padEnd(7), `${path} (${[sizes.join(' -> '), ...moved].join('; ')})`)
}

const changeObject = (names: NameBook, change: PathChange): object => {
  const { path, before, after, cameFrom, wentTo } = change
  return {
    path,
    change: kindOf(change),
    movedFrom: cameFrom,
    movedTo: wentTo,
    before: before && eventObject(names, before),
    after: after && eventObject(names, after),
  }
}
