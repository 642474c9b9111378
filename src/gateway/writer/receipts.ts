import * as E from 'fp-ts/lib/Either.js'
import type { FolderId } from '../../domain/events.ts'
import type { RecordedEvent } from '../../eventlog/port.ts'
import { folderStream } from '../../protocol/streams.ts'
import type { Answer, Outcome } from '../../protocol/messages.ts'
import { receiptStatement, signReceipts } from '../../protocol/receipt.ts'
import type { Core } from '../core.ts'
import { failed } from '../refusals.ts'
import type { Job } from './job.ts'
import { remember, type Decided } from './once.ts'

/** An answer that still wants its receipt. */
interface Unsigned {
  readonly outcomes: readonly Outcome[]
  readonly position: number
  readonly statement: string | undefined
}

/** The answers to a batch's messages: those that were appended, now or before, under receipts that share one signature. */
export const receiptsOf = async (
  core: Core,
  folder: FolderId,
  jobs: readonly Job[],
  decided: readonly Decided[],
  events: readonly RecordedEvent[],
): Promise<readonly Answer[]> => {
  let next = events[0]?.revision ?? 0
  const answers: (Answer | Unsigned)[] = []
  for (const [index, decision] of decided.entries()) {
    const job = jobs[index]
    if (job === undefined) break
    if (decision.tag === 'answer') {
      remember(core, folder, job, decision.answer)
      answers.push(decision.answer)
    } else if (decision.tag === 'again') answers.push(await answerAgain(core, folder, job, decision.message))
    else {
      next += decision.drafts.length
      const last = events[next - 1 - (events[0]?.revision ?? 0)]
      answers.push(unsigned(folder, job, decision.outcomes, next - 1, last?.chain ?? ''))
    }
  }
  return sign(core, answers)
}

const unsigned = (folder: FolderId, { signed }: Job, outcomes: readonly Outcome[], position: number, chain: string): Unsigned => ({
  outcomes,
  position,
  statement: signed === undefined ? undefined : receiptStatement(folder, signed.head.root, outcomes, position, chain),
})

const answerAgain = async (
  core: Core,
  folder: FolderId,
  job: Job,
  { outcomes, position }: { readonly outcomes: readonly Outcome[]; readonly position: number },
) => {
  const read = await core.log.read(folderStream(folder), position, 1)()
  if (E.isLeft(read)) return failed(read.left)
  return unsigned(folder, job, outcomes, position, read.right[0]?.chain ?? '')
}

const sign = ({ signer }: Core, answers: readonly (Answer | Unsigned)[]): readonly Answer[] => {
  const statements = answers.flatMap((answer) => ('statement' in answer && answer.statement !== undefined ? [answer.statement] : []))
  const receipts = statements.length === 0 ? [] : signReceipts(statements, signer)
  let next = 0
  return answers.map((answer): Answer => {
    if (!('statement' in answer)) return answer
    const { outcomes, position, statement } = answer
    const receipt = statement === undefined ? undefined : receipts[next++]
    return { tag: 'Changed', status: 200, outcomes, position, receipt }
  })
}
