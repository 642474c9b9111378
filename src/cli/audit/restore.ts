import * as E from 'fp-ts/lib/Either.js'
import type { Restored } from '../../compose/audit-restore.ts'
import { fail, type Outcome } from '../../compose/failure.ts'
import { conclude } from '../outcome.ts'
import { bytesText, count, remark } from '../output.ts'
import { example, type Command } from '../program.ts'
import { auditing, type AuditOptions } from './command.ts'
import { jsonLine, textLine, writeLines } from './lines.ts'

interface Options extends AuditOptions {
  readonly at: string
  readonly to?: string
  readonly into?: string
  readonly exact?: boolean
  readonly dryRun?: boolean
}

const HELP = `
Into a synced folder, only what differs between that moment and now is touched, and only where the disk holds what the history knows: nothing that is not in the
history yet is overwritten. The agent sends the changes like any others, so what was there before stays in the history, too.`

/** `eventsync audit restore`: a file or folder as it was, brought back. */
export const auditRestore = (audit: Command): void => {
  audit
    .command('restore')
    .description(
      'bring a file, a folder or everything back as it was at a moment: into an empty directory, or into the synced folder itself',
    )
    .argument('[path]', 'a path inside the folder (default: all of it)')
    .requiredOption('--at <moment>', 'after this position or at this time: 4711, 2026-11-20T18:30, "3 days ago"')
    .option('--to <dir>', 'an empty or new directory')
    .option('--into <folder>', 'the synced folder on this device, whose agent then sends what changes')
    .option('--exact', 'with --into: what is new since that moment is deleted as well')
    .option('--dry-run', 'list what would change, and change nothing')
    .option('--json', 'print one JSON object a line')
    .addHelpText(
      'after',
      example(
        '$ eventsync audit restore --at "last tuesday 18:00" --to ./tuesday --data /var/lib/eventsync',
        '$ eventsync audit restore photos --at "1 hour ago" --into ~/Sync --dry-run',
      ) + `\n${HELP}`,
    )
    .action(async (path: string | undefined, _: unknown, command: Command) => conclude(await run(path, command.optsWithGlobals<Options>())))
}

const run = (path: string | undefined, options: Options): Promise<Outcome> =>
  auditing(options, async (audit) => {
    const { restore } = await (await import('../../compose.ts')).auditRestore()
    const { at, to, into, exact = false, dryRun = false } = options
    const sum = { done: 0, bytes: 0, left: 0 }
    const written = await writeLines(
      restore(audit, { path, at, to, into, exact, dryRun }),
      (step) => {
        if (step.tag === 'left') sum.left += 1
        else sum.done += 1
        if ('bytes' in step) sum.bytes += step.bytes
        return options.json === true ? jsonLine(stepObject(step)) : textLine(...wordsOf(step, dryRun))
      },
      'goOn',
    )
    if (E.isLeft(written)) return written
    remark(`${count(sum.done, 'path')} ${dryRun ? 'would be' : ''} restored, ${bytesText(sum.bytes)}.`.replace('  ', ' '))
    return sum.left === 0
      ? E.right(undefined)
      : fail('failed', `${count(sum.left, 'path')} could not be restored: the lines that begin with "left" say why`)
  })

const stepObject = ({ tag, path, ...rest }: Restored): object => {
  if ('version' in rest) return { action: tag, path, position: rest.version, size: rest.bytes }
  return { action: tag, path, ...rest }
}

const VERBS = {
  made: ['restored', 'would restore'],
  replaced: ['replaced', 'would replace'],
  removed: ['removed', 'would remove'],
} as const

const wordsOf = (step: Restored, dryRun: boolean): readonly string[] => {
  if (step.tag === 'left') return ['left', `${step.path}: ${step.reason}`]
  const verb = VERBS[step.tag][dryRun ? 1 : 0]
  return step.tag === 'removed' ? [verb, step.path] : [verb, step.path, `(position ${step.version})`]
}
