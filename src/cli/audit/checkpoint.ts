import * as E from 'fp-ts/lib/Either.js'
import type { Outcome } from '../../compose/failure.ts'
import { conclude } from '../outcome.ts'
import { example, type Command } from '../program.ts'
import { settingsOf } from '../settings.ts'
import { auditing, type AuditOptions } from './command.ts'

/** `eventsync audit checkpoint`: a few lines that show later whether the log was rewritten. */
export const auditCheckpoint = (audit: Command): void => {
  audit
    .command('checkpoint')
    .description(
      "print the gateway's signed word on where the folder's log stands: kept elsewhere, it shows later whether the log was rewritten or cut",
    )
    .addHelpText(
      'after',
      example(
        '$ eventsync audit checkpoint --data /var/lib/eventsync > checkpoint-2026-11.json',
        '$ eventsync audit checkpoint > from-my-gateway.json',
        '$ eventsync audit verify --data /var/lib/eventsync --checkpoint checkpoint-2026-11.json',
      ),
    )
    .action(async (_: unknown, command: Command) => conclude(await run(command.optsWithGlobals<AuditOptions>())))
}

const run = async (options: AuditOptions): Promise<Outcome> => {
  const settings = settingsOf(options)
  if (E.isLeft(settings)) return settings
  const { exportedCheckpoint } = await (await import('../../compose.ts')).auditCheckpoint()
  return auditing(options, async (audit) =>
    E.map((page: string) => void process.stdout.write(page))(await exportedCheckpoint(settings.right, audit)),
  )
}
