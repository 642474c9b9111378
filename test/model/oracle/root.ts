import type { DiskHistory } from '../history.ts'
import type { DeviceEvidence, Evidence, LogEntry, RootLoss } from './evidence.ts'

/** From so many files on, deleting all of them is held (DESIGN.md, I15). */
const HELD_FROM = 10

/** I15: when a root of ten or more files that were in sync was emptied, none of them may be deleted from the log before a person approved it. */
export const judgeRootLosses = (evidence: Evidence): void => {
  for (const device of evidence.devices) {
    for (const loss of device.rootLosses) {
      if (loss.filesInSync < HELD_FROM || loss.filesInSync < [...loss.held.values()].filter((id) => id.startsWith('file:')).length) continue
      const approved = device.approvals.find((at) => at > loss.sequence) ?? Number.POSITIVE_INFINITY
      const deleted = evidence.log.find(
        (entry) =>
          entry.device === device.name &&
          entry.sequence > loss.sequence &&
          entry.sequence < approved &&
          isOf(loss, entry) &&
          !wasTakenAfterwards(device, loss, entry),
      )
      if (deleted === undefined || isNotAll(device.history.appeared, loss, deleted)) continue
      evidence.trace.violated(
        'I15',
        `${device.name}, revision ${deleted.revision}: a file was deleted because the root had been emptied, and nobody had approved that`,
      )
    }
  }
}

const isOf = (loss: RootLoss, { event }: LogEntry): boolean =>
  event.type === 'FileDeleted' && loss.held.get(event.path)?.startsWith('file:') === true

/**
 * The disk came back whole, and only then its user took this very file away: that is a deletion like any other (many at once are a loss of their own).
 * A file that its user left alone after the return must not be deleted because it had been out of sight.
 */
const wasTakenAfterwards = ({ history, rootReturns }: DeviceEvidence, loss: RootLoss, { event, sequence }: LogEntry): boolean => {
  const back = rootReturns.find((at) => at > loss.sequence)
  if (back === undefined || event.type !== 'FileDeleted') return false
  return (history.vanished.get(event.path) ?? []).some((gone) => gone.by === 'user' && gone.sequence > back && gone.sequence < sequence)
}

/** A file came to the disk after the loss, so that what was lost is not all that there is. */
const isNotAll = (appeared: DiskHistory['appeared'], loss: RootLoss, deleted: LogEntry): boolean =>
  [...appeared.values()].some((events) =>
    events.some(({ sequence, content }) => content.startsWith('file:') && sequence > loss.sequence && sequence < deleted.sequence),
  )
