import type * as E from 'fp-ts/lib/Either.js'
import type { Hash } from '../domain/content.ts'
import type { FolderId } from '../domain/events.ts'
import { canonical } from './canonical.ts'
import type { ProtocolError } from './error.ts'
import { sha256 } from './hash.ts'
import { parseJson, type Json, type JsonObject } from './json.ts'
import { inclusionPaths, leafHash, rootFromPath } from './merkle.ts'
import type { Outcome, Receipt } from './messages.ts'
import { encodeOutcome } from './outcome.ts'
import { Reader, type Place } from './reader.ts'
import { verify, type Signer } from './signing.ts'

/** What a receipt says: this message of changes (its root) had these outcomes, and the folder's log stood there then. */
export interface Statement {
  readonly folder: FolderId
  readonly root: Hash
  /** SHA-256 of the outcomes' canonical JSON. */
  readonly outcomes: Hash
  readonly position: number
  readonly chain: Hash
}

/** SHA-256 of the canonical JSON of a message's `Results`. */
export const outcomesHash = (outcomes: readonly Outcome[]): Hash => sha256(canonical(outcomes.map(encodeOutcome)))

/** The canonical text that a receipt vouches for. */
export const receiptStatement = (folder: FolderId, root: Hash, outcomes: readonly Outcome[], position: number, chain: string): string =>
  canonical({ Folder: folder, Root: root, Outcomes: outcomesHash(outcomes), Position: position, Chain: chain })

const signedText = (root: Hash): string => `eventsync-receipts\0${root}`

/** A receipt for each statement of a group commit, under one signature. */
export const signReceipts = (statements: readonly string[], signer: Signer): Receipt[] => {
  const { root, paths } = inclusionPaths(statements.map(leafHash))
  const signature = signer.sign(signedText(root))
  return statements.map((statement, index) => ({ statement, index, size: statements.length, path: paths[index] ?? [], signature }))
}

/** Whether the gateway that holds this key gave the receipt. What it says is for {@link readStatement}. */
export const verifyReceipt = (receipt: Receipt, gatewayKey: string): boolean => {
  const root = rootFromPath(leafHash(receipt.statement), receipt.index, receipt.size, receipt.path)
  return root !== undefined && verify(gatewayKey, signedText(root), receipt.signature)
}

/** What a receipt says; to be compared with what the answer said. */
export const readStatement = (receipt: Receipt): E.Either<ProtocolError, Statement> => {
  const reader = new Reader()
  const fields = reader.fields(parseJson(receipt.statement), 'Receipt.Statement')
  return reader.finish({
    folder: fields.folder('Folder'),
    root: fields.hash('Root'),
    outcomes: fields.hash('Outcomes'),
    position: fields.integer('Position'),
    chain: fields.hash('Chain'),
  })
}

export const encodeReceipt = (receipt: Receipt): JsonObject => ({
  Statement: receipt.statement,
  Index: receipt.index,
  Size: receipt.size,
  Path: receipt.path,
  Signature: receipt.signature,
})

const MAX_STATEMENT = 4096
/** Enough for more receipts than any group commit has. */
const MAX_PATH = 53

export const readReceipt = (reader: Reader, json: Json | undefined, at: Place): Receipt => {
  const fields = reader.fields(json, at)
  return {
    statement: fields.string('Statement', MAX_STATEMENT),
    index: fields.integer('Index'),
    size: fields.integer('Size'),
    path: fields.list('Path', MAX_PATH, (hash, place) => reader.hash(hash, place)),
    signature: fields.string('Signature', 88),
  }
}
