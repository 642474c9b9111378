import type { FolderStatus } from '../compose/agent.ts'
import type { Failure } from '../compose/failure.ts'
import { count, printable } from './output.ts'

const MOST_LISTED = 20

const listed = (title: string, items: readonly string[]): string[] =>
  items.length === 0
    ? []
    : [
        `  ${title}:`,
        ...items.slice(0, MOST_LISTED).map((item) => `    ${printable(item)}`),
        ...(items.length > MOST_LISTED ? [`    … and ${items.length - MOST_LISTED} more`] : []),
      ]

/** A held deletion; the empty path is the whole folder, whose root is gone. */
export const heldText = (path: string): string => (path === '' ? '(the whole folder)' : path)

/** A folder's status for a person. */
export const statusLines = (status: FolderStatus): string[] => {
  const { folder, inSync, connected, position, head, pending, incoming, conflicts, held, problems, lastError } = status
  return [
    `${printable(folder)}: ${inSync ? 'in sync' : 'not in sync'}`,
    `  gateway: ${connected ? 'connected' : 'not connected'}, position ${position}${head > position ? ` of ${head}` : ''}`,
    ...(pending + incoming > 0 ? [`  waiting: ${pending} to send, ${incoming} to receive`] : []),
    ...listed('conflict copies (settle them with eventsync conflicts)', conflicts),
    ...listed('held deletions (let them go with eventsync approve-deletions)', held.map(heldText)),
    ...listed(
      'problems',
      problems.map(({ path, reason }) => `${path}: ${reason}`),
    ),
    ...(lastError === null ? [] : [`  last error: ${printable(lastError)}`]),
  ]
}

/** Why a folder is not in sync, in one sentence. */
export const notInSync = (status: FolderStatus): Failure => {
  const { folder, connected, pending, incoming, held, problems, lastError } = status
  const [problem] = problems
  const reasons = [
    ...(connected ? [] : ['the gateway is not connected']),
    ...(pending > 0 ? [`${count(pending, 'change')} not sent yet`] : []),
    ...(incoming > 0 ? [`${count(incoming, 'change')} not received yet`] : []),
    ...(held.length > 0 ? [`${count(held.length, 'deletion')} held (eventsync approve-deletions)`] : []),
    ...(problem === undefined ? [] : [`${count(problems.length, 'problem')}, the first: ${problem.path}: ${problem.reason}`]),
    ...(lastError === null ? [] : [`last error: ${lastError}`]),
  ]
  return {
    kind: 'notInSync',
    reason: `${folder} is not in sync: ${reasons.length === 0 ? 'changes are still being made' : reasons.join('; ')}`,
  }
}
