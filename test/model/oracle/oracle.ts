import { judgeAcknowledged } from './acknowledged.ts'
import { judgeAuthorship } from './authorship.ts'
import { judgeConflicts } from './conflicts.ts'
import { differences } from './convergence.ts'
import { judgeChunks, judgeEvents } from './events.ts'
import type { DeviceEvidence, Evidence, LogEntry } from './evidence.ts'
import { judgeFindable } from './findable.ts'
import { foldUpTo, walkLog } from './fold.ts'
import { judgeState, judgeSync } from './gateway.ts'
import { judgeRootLosses } from './root.ts'

/** How the devices' trees differ from the log's: nothing once all are in sync. */
export const disagreements = (devices: readonly DeviceEvidence[], log: readonly LogEntry[]): string[] => {
  const fold = foldUpTo(log, Number.POSITIVE_INFINITY)
  return devices.flatMap((device) => differences(device, fold).map((text) => `${device.name}: ${text}`))
}

/**
 * Judges a run that has come to rest: finds its violations and adds them to the trace. It knows nothing of plans and deciders: only what the devices hold,
 * what was written when and by whom, what each device's user had seen, and what the log says.
 */
export const judge = async (evidence: Evidence): Promise<void> => {
  const steps = [judgeAuthorship(evidence), judgeEvents(evidence), judgeConflicts(evidence)]
  const fold = walkLog(evidence, (entry, replaced, tree) => {
    for (const step of steps) step(entry, replaced, tree)
  })
  for (const text of disagreements(evidence.devices, evidence.log)) evidence.trace.violated('I2', text)
  judgeAcknowledged(evidence)
  judgeFindable(evidence)
  judgeRootLosses(evidence)
  judgeChunks(evidence)
  judgeState(evidence, fold)
  await judgeSync(evidence, fold)
}
