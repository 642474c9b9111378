import * as E from 'fp-ts/lib/Either.js'
import type { Hash } from '../../domain/content.ts'
import type { Answer, Receipt } from '../../protocol/messages.ts'
import { outcomesHash, readStatement, verifyReceipt } from '../../protocol/receipt.ts'
import type { FolderIndex } from '../index/folder-index.ts'
import type { FolderSyncDeps } from './folder-sync.types.ts'

/** So many are kept of one folder (I16). */
const KEPT = 1_000

type Changed = Extract<Answer, { tag: 'Changed' }>

/** Why the receipt of an answer can't be believed; undefined where it can, or where there is none (nothing was appended). */
export const receiptFault = (
  { gatewayKey, folder }: Pick<FolderSyncDeps, 'gatewayKey' | 'folder'>,
  root: Hash,
  answer: Changed,
): string | undefined => {
  const { receipt, outcomes, position } = answer
  if (receipt === undefined) return undefined
  if (!verifyReceipt(receipt, gatewayKey)) return "the gateway's receipt is not signed by the key that was pinned at `eventsync register`"
  const said = readStatement(receipt)
  const isOfAnswer =
    E.isRight(said) &&
    said.right.folder === folder &&
    said.right.root === root &&
    said.right.position === position &&
    said.right.outcomes === outcomesHash(outcomes)
  return isOfAnswer ? undefined : "the gateway's receipt says something else than its answer"
}

/** Keeps the gateway's signed word on a message. */
export const keepReceipt = (index: FolderIndex, number: number, receipt: Receipt | undefined): void => {
  if (receipt === undefined) return
  index.atomically(() => {
    index.statement('INSERT OR REPLACE INTO receipt (number, receipt) VALUES (?, ?)').run(number, JSON.stringify(receipt))
    index.statement('DELETE FROM receipt WHERE number <= ?').run(number - KEPT)
  })
}
