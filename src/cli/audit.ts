import { auditCat } from './audit/cat.ts'
import { auditCheckpoint } from './audit/checkpoint.ts'
import { auditDiff } from './audit/diff.ts'
import { auditExport } from './audit/export.ts'
import { auditHistory } from './audit/history.ts'
import { auditLog } from './audit/log.ts'
import { auditReplay } from './audit/replay.ts'
import { auditReport } from './audit/report.ts'
import { auditRestore } from './audit/restore.ts'
import { auditTree } from './audit/tree.ts'
import { auditVerify } from './audit/verify.ts'
import { auditWitness } from './audit/witness.ts'
import { example, type Command } from './program.ts'

/** `eventsync audit`: what the log tells. */
export const audit = (program: Command): void => {
  const group = program
    .command('audit')
    .description(
      "what happened, when, by whom, and the proof of it: on the gateway's side (--data), or of this device's account through its gateway",
    )
    .option('--data <dir>', "a gateway's data directory, beside a running gateway or without one (EVENTSYNC_DATA)")
    .option('--folder <name>', 'a folder by its name, its id or EMAIL:NAME (default: the one called default, or the only one)')
    .addHelpText(
      'after',
      example(
        '$ eventsync audit log --data /var/lib/eventsync --path "*.pdf" --since "3 days ago"',
        '$ eventsync audit verify --data /var/lib/eventsync',
      ),
    )
  for (const add of [
    auditLog,
    auditHistory,
    auditCat,
    auditTree,
    auditDiff,
    auditVerify,
    auditCheckpoint,
    auditWitness,
    auditExport,
    auditRestore,
    auditReplay,
    auditReport,
  ])
    add(group)
}
