import * as E from 'fp-ts/lib/Either.js'
import { fail, type Outcome } from '../../compose/failure.ts'
import { conclude } from '../outcome.ts'
import { example, type Command } from '../program.ts'
import { auditing, type AuditOptions } from './command.ts'
import { writeBytes } from './lines.ts'

/** `eventsync audit cat`: a file as it was. */
export const auditCat = (audit: Command): void => {
  audit
    .command('cat')
    .description('a file as it was at a moment, byte for byte')
    .argument('<path@moment>', 'a path inside the folder, and a position or time: plan.odt@4711, "plan.odt@3 days ago" (default: now)')
    .addHelpText(
      'after',
      example(
        '$ eventsync audit cat docs/plan.odt@4711 --data /var/lib/eventsync > plan.odt',
        '$ eventsync audit cat "notes.txt@last tuesday"',
      ),
    )
    .action(async (version: string, _: unknown, command: Command) => conclude(await run(version, command.optsWithGlobals<AuditOptions>())))
}

const run = (text: string, options: AuditOptions): Promise<Outcome> =>
  auditing(options, async (audit) => {
    const { findVersion, bytesOfVersion } = await (await import('../../compose.ts')).auditVersions()
    const version = await findVersion(audit, text)
    if (E.isLeft(version)) return version
    let first = true
    return writeBytes(bytesOfVersion(audit, version.right), (bytes) => {
      // What is no text could steer the terminal.
      const binary = first && process.stdout.isTTY && bytes.includes(0)
      first = false
      return binary ? fail('usage', `${version.right.name} is no text: send it to a file (… > FILE)`) : E.right(bytes)
    })
  })
