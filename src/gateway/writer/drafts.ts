import type { Decision } from '../../domain/decide/decision.ts'
import type { Hash } from '../../domain/content.ts'
import type { FolderEvent, FolderId } from '../../domain/events.ts'
import { encodeFolderEvent, encodeMetadata, type EventMetadata, type MessageRecord } from '../../protocol/event-codec.ts'
import { eventId } from '../../protocol/event-ids.ts'
import type { Outcome } from '../../protocol/messages.ts'
import type { Draft } from '../append.ts'
import type { Job } from './job.ts'

/** A change's place in its message, and what it makes. */
export interface Accepted {
  readonly index: number
  readonly decision: Extract<Decision, { tag: 'made' }>
}

/** The events of one message: each change's own embeds it as it was signed, and the first of all keeps the message's evidence and answer. */
export const draftsOf = (
  job: Job,
  folder: FolderId,
  accepted: readonly Accepted[],
  outcomes: readonly Outcome[],
  time: number,
): readonly Draft[] => {
  const drafts: Draft[] = []
  for (const { index, decision } of accepted) {
    const { events } = decision
    for (const [at, event] of events.entries()) {
      const message = drafts.length === 0 ? recordOf(job, accepted, outcomes) : undefined
      const metadata = { ...metadataOf(job, index, time), ...(message === undefined ? {} : { message }) }
      drafts.push(draftOf(job, folder, { index, event, sub: at === events.length - 1 ? 0 : at + 1 }, metadata))
    }
  }
  return drafts
}

interface Made {
  readonly index: number
  readonly event: FolderEvent
  /** 0: the change's own; others are made beside it. */
  readonly sub: number
}

const draftOf = (job: Job, folder: FolderId, { index, event, sub }: Made, metadata: EventMetadata): Draft => {
  const change = job.changes[index]
  const embedded = sub === 0 && change !== undefined ? { canonical: job.canonical[index] ?? '', change } : undefined
  return {
    id: eventId(job.agent.key, job.epoch, job.number, index, sub, job.leaves[index] ?? ''),
    ...encodeFolderEvent(event, embedded, sub === 0 ? undefined : index),
    metadata: encodeMetadata(metadata),
    decoded: { event: { of: 'folder', folder, event }, metadata },
  }
}

const metadataOf = ({ agent, signed, clientTime }: Job, index: number, time: number): EventMetadata => ({
  account: agent.account,
  agent: agent.key,
  ...(signed === undefined ? {} : { epoch: signed.head.epoch, number: signed.head.number }),
  index,
  time,
  clientTime,
  proof: signed === undefined ? 'password' : 'signed',
})

/** Present versions beside refusals may be long, and are in the tree anyway: an answer given again can do without. */
const MAX_PRESENT = 16

const recordOf = ({ signed, leaves }: Job, accepted: readonly Accepted[], outcomes: readonly Outcome[]): MessageRecord | undefined => {
  if (signed === undefined) return undefined
  const embedded = new Set(accepted.map(({ index }) => index))
  const refusedLeaves = leaves.flatMap((leaf, index): [number, Hash][] => (embedded.has(index) ? [] : [[index, leaf]]))
  return { ...signed, outcomes: refusedLeaves.length > MAX_PRESENT ? outcomes.map(withoutPresent) : outcomes, refusedLeaves }
}

const withoutPresent = (outcome: Outcome): Outcome => (outcome.status === 200 ? outcome : { ...outcome, present: undefined })
