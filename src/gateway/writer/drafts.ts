import type { Decision } from '../../domain/decide/decision.ts'
import type { Hash } from '../../domain/content.ts'
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
export const draftsOf = (job: Job, accepted: readonly Accepted[], outcomes: readonly Outcome[], time: number): readonly Draft[] => {
  let message = recordOf(job, outcomes)
  return accepted.flatMap(({ index, decision: { events } }) =>
    events.map((event, at): Draft => {
      const own = at === events.length - 1
      const canonical = job.canonical[index] ?? ''
      const change = job.changes[index]
      const encoded = encodeFolderEvent(event, own && change !== undefined ? { canonical, change } : undefined, own ? undefined : index)
      const id = eventId(job.agent.key, job.epoch, job.number, index, own ? 0 : at + 1, job.leaves[index] ?? '')
      const metadata = encodeMetadata({ ...metadataOf(job, index, time), ...(message === undefined ? {} : { message }) })
      message = undefined
      return { id, ...encoded, metadata }
    }),
  )
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

const recordOf = ({ signed, leaves }: Job, outcomes: readonly Outcome[]): MessageRecord | undefined => {
  if (signed === undefined) return undefined
  const refusedLeaves: [number, Hash][] = []
  outcomes.forEach(({ status }, index) => {
    const leaf = leaves[index]
    if (status !== 200 && leaf !== undefined) refusedLeaves.push([index, leaf])
  })
  return { ...signed, outcomes: refusedLeaves.length > MAX_PRESENT ? outcomes.map(withoutPresent) : outcomes, refusedLeaves }
}

const withoutPresent = (outcome: Outcome): Outcome => (outcome.status === 200 ? outcome : { ...outcome, present: undefined })
