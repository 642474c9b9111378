import type { FolderId } from '../../domain/events.ts'
import type { AppendedMessage } from '../../projections/port.ts'
import type { Answer } from '../../protocol/messages.ts'
import type { Core } from '../core.ts'
import { refused } from '../refusals.ts'
import type { JobDecision } from './decide-job.ts'
import type { Job } from './job.ts'

/** A message that came before (I5). */
export type Before =
  /** It was appended: its first answer again, under a receipt of the same statement. */
  { readonly tag: 'again'; readonly message: AppendedMessage } | { readonly tag: 'answer'; readonly answer: Answer }

/** What became of a message of a batch. */
export type Decided = JobDecision | Before

/** What is to be answered to a message without deciding over it, if anything. */
export const answerBefore = ({ state, settled }: Core, folder: FolderId, job: Job): Before | undefined => {
  if (job.signed === undefined) return undefined
  const { head } = job.signed
  const known = state.messages.find({ agent: head.agent, folder, epoch: head.epoch }, head.number)
  if (known.tag === 'spent' || (known.tag === 'appended' && known.message.root !== head.root)) {
    return { tag: 'answer', answer: refused(409, 'number', "the message's number is spent: make a new epoch and plan again") }
  }
  if (known.tag === 'appended') return { tag: 'again', message: known.message }
  const last = settled.get(settledKey(folder, job))
  return last?.number === head.number && last.root === head.root ? { tag: 'answer', answer: last.answer } : undefined
}

/** An answer that appended nothing, though not all of it was a refusal: its sender counts on, and a late duplicate must not act. */
export interface Settled {
  readonly number: number
  readonly root: string
  readonly answer: Answer
}

const settledKey = (folder: FolderId, { agent, epoch }: Job): string => `${folder}${agent.key}${epoch}`

export const remember = ({ settled }: Core, folder: FolderId, job: Job, answer: Answer): void => {
  if (job.signed === undefined || answer.tag !== 'Changed' || answer.outcomes.every(({ status }) => status !== 200)) return
  settled.set(settledKey(folder, job), { number: job.signed.head.number, root: job.signed.head.root, answer })
}
