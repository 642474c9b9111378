import * as E from 'fp-ts/lib/Either.js'
import type { Hash } from '../../domain/content.ts'
import { decide } from '../../domain/decide/decide.ts'
import type { Decision, Refusal } from '../../domain/decide/decision.ts'
import type { Overlay } from '../../domain/decide/overlay.ts'
import type { Change } from '../../domain/change.ts'
import type { FolderId } from '../../domain/events.ts'
import { MAX_HASHES, type Answer, type Outcome } from '../../protocol/messages.ts'
import { toRemote } from '../entries.ts'
import type { Draft } from '../append.ts'
import { draftsOf, type Accepted } from './drafts.ts'
import type { Job } from './job.ts'
import { needsOf } from './needs.ts'

/** What becomes of one message, decided over the tree with the batch's earlier messages laid over it. */
export type JobDecision =
  /** Nothing to append: chunks are missing, or all is refused, or so already. The overlay is as it was. */
  | { readonly tag: 'answer'; readonly answer: Answer }
  | { readonly tag: 'append'; readonly drafts: readonly Draft[]; readonly outcomes: readonly Outcome[]; readonly named: readonly Hash[] }

export interface JobContext {
  readonly folder: FolderId
  readonly view: Overlay
  /** The size of a stored chunk that the sender may name; undefined: it must be sent. */
  readonly sizeOf: (hash: Hash) => number | undefined
  /** The gateway's clock. */
  readonly time: number
}

interface Tally {
  readonly outcomes: Outcome[]
  readonly accepted: Accepted[]
  readonly missing: Set<Hash>
  readonly named: Set<Hash>
}

export const decideJob = (job: Job, context: JobContext): JobDecision => {
  const { view } = context
  const mark = view.mark()
  const tally: Tally = { outcomes: [], accepted: [], missing: new Set(), named: new Set() }
  job.changes.forEach((change, index) => tally.outcomes.push(decideChange(job, change, index, context, tally)))
  const { outcomes, accepted, missing, named } = tally
  if (missing.size > 0) {
    view.rewind(mark)
    return { tag: 'answer', answer: { tag: 'SendChunks', status: 100, missing: [...missing].slice(0, MAX_HASHES) } }
  }
  if (accepted.length === 0)
    return { tag: 'answer', answer: { tag: 'Changed', status: 200, outcomes, position: view.next - 1, receipt: undefined } }
  return { tag: 'append', drafts: draftsOf(job, context.folder, accepted, outcomes, context.time), outcomes, named: [...named] }
}

/** A stale change is refused before its content is asked for. */
const decideChange = (job: Job, change: Change, index: number, { view, sizeOf }: JobContext, tally: Tally): Outcome => {
  const decided = decide(view, change)
  if (E.isLeft(decided)) return refusal(decided.left)
  const decision = decided.right
  if (decision.tag === 'already') return { status: 200, revision: decision.revision, path: decision.path }
  const needs = needsOf(change, job, sizeOf)
  if (needs.tag === 'wrong') return { status: 400, code: 'hash', reason: needs.reason, present: undefined }
  for (const hash of needs.missing) tally.missing.add(hash)
  for (const hash of needs.named) tally.named.add(hash)
  return accept(decision, index, view, tally)
}

const accept = (decision: Extract<Decision, { tag: 'made' }>, index: number, view: Overlay, tally: Tally): Outcome => {
  view.apply(decision.events)
  tally.accepted.push({ index, decision })
  return { status: 200, revision: view.next - 1, path: decision.path }
}

const refusal = ({ code, reason, present }: Refusal): Outcome => ({
  status: code === 'notFound' ? 404 : 409,
  code,
  reason,
  present: present === undefined ? undefined : toRemote(present),
})
