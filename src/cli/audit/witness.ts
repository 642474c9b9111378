import * as E from 'fp-ts/lib/Either.js'
import type { Outcome } from '../../compose/failure.ts'
import { conclude } from '../outcome.ts'
import { example, type Command } from '../program.ts'
import { settingsOf } from '../settings.ts'
import type { AuditOptions } from './command.ts'

/** `eventsync audit witness`: what this device has seen, for whoever verifies the log later. */
export const auditWitness = (audit: Command): void => {
  audit
    .command('witness')
    .description(
      "print this device's signed word on how far it has seen the folder's log, with the gateway's latest receipt: no gateway is asked, and none can take it back",
    )
    .argument('[folder]', 'the synced folder on this device (default: the only one)')
    .addHelpText(
      'after',
      example(
        '$ eventsync audit witness ~/Sync > laptop-2026-11.json',
        '$ eventsync audit verify --data /var/lib/eventsync --checkpoint laptop-2026-11.json',
      ),
    )
    .action(async (folder: string | undefined, _: unknown, command: Command) =>
      conclude(await run(folder, command.optsWithGlobals<AuditOptions>())),
    )
}

const run = async (folder: string | undefined, options: AuditOptions): Promise<Outcome> => {
  const settings = settingsOf(options)
  if (E.isLeft(settings)) return settings
  const { deviceWitness } = await (await import('../../compose.ts')).auditWitness()
  return E.map((page: string) => void process.stdout.write(page))(deviceWitness(settings.right, process.env, folder))
}
