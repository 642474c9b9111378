import * as E from 'fp-ts/lib/Either.js'
import type { Change } from '../domain/change.ts'
import type { Chunk, Hash } from '../domain/content.ts'
import { canonical } from './canonical.ts'
import { encodeChange } from './change-codec.ts'
import { leafHash, merkleRoot } from './merkle.ts'
import type { Head, SignedBatch } from './messages.ts'
import { headText, verifyAsync, type Signer } from './signing.ts'

/** What the sender says in a head; the rest follows from its changes. */
export type BatchHead = Omit<Head, 'root' | 'count'>

export interface BadSignature {
  readonly tag: 'BadSignature'
  readonly reason: string
}

/** Makes one signed message of changes; `contents` are the chunks that will travel as its payload. */
export const signBatch = (
  head: BatchHead,
  changes: readonly Change[],
  signer: Signer,
  timestamp: number,
  contents: readonly Chunk[],
): SignedBatch => {
  const texts = changes.map((change) => canonical(encodeChange(change)))
  const whole: Head = { ...head, count: changes.length, root: merkleRoot(texts.map(leafHash)) }
  return { head: whole, signature: signer.sign(headText(whole)), changes, canonical: texts, timestamp, contents }
}

/** The leaf hashes of a batch's changes, when the head speaks of just these changes and the signature is the key's over the head. */
export const checkBatch = async (batch: SignedBatch, publicKey: string): Promise<E.Either<BadSignature, Hash[]>> => {
  const leaves = batch.canonical.map(leafHash)
  const { head } = batch
  if (head.count !== leaves.length || head.root !== merkleRoot(leaves)) return bad("the head's root is not that of the changes")
  return (await verifyAsync(publicKey, headText(head), batch.signature))
    ? E.right(leaves)
    : bad("the signature is not the enrolled key's over this head")
}

const bad = (reason: string): E.Either<BadSignature, never> => E.left({ tag: 'BadSignature', reason })
