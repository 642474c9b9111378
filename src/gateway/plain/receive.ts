import * as E from 'fp-ts/lib/Either.js'
import type { StoreError } from '../../blobstore/port.ts'
import { createChunker } from '../../domain/chunking/fastcdc.ts'
import type { Chunk, Content, Hash } from '../../domain/content.ts'
import type { AccountId } from '../../domain/events.ts'
import { sha256 } from '../../protocol/hash.ts'
import { manifestOf } from '../../protocol/manifest.ts'
import { contentHash } from '../../protocol/merkle.ts'
import type { AppendFailure } from '../append.ts'
import type { Core } from '../core.ts'
import type { OpenManifest } from '../manifests.ts'

type Failure = StoreError | AppendFailure

/** A content as its bytes come in, piece by piece: cut into chunks, each stored when it is whole. Holds one chunk and one piece (I16). */
export interface Receiving {
  push(piece: Uint8Array): Promise<E.Either<Failure, void>>
  /** What all the bytes make. */
  finish(modified: string, executable: boolean): Promise<E.Either<Failure, Received>>
}

export interface Received {
  readonly content: Content
  readonly manifests: ReadonlyMap<Hash, OpenManifest>
}

export const receive = (core: Core, account: AccountId, size: number): Receiving => {
  const chunker = createChunker()
  const chunks: Chunk[] = []
  let held = Buffer.alloc(0)
  const store = async (bytes: Uint8Array): Promise<E.Either<Failure, Chunk>> => {
    const chunk = { hash: sha256(bytes), size: bytes.length }
    await core.followed.room()
    const stored = await core.chunks.store([{ hash: chunk.hash, bytes }])
    if (E.isLeft(stored)) return stored
    await core.uploaded(account, [chunk])
    return E.right(chunk)
  }
  const cut = async (sizes: readonly number[]): Promise<E.Either<Failure, void>> => {
    for (const length of sizes) {
      const stored = await store(held.subarray(0, length))
      if (E.isLeft(stored)) return stored
      chunks.push(stored.right)
      held = held.subarray(length)
    }
    return E.right(undefined)
  }
  return {
    push: async (piece) => {
      held = Buffer.concat([held, piece])
      return cut(chunker.push(piece))
    },
    finish: async (modified, executable) => {
      const last = chunker.finish()
      const ended = await cut(last > 0 ? [last] : [])
      if (E.isLeft(ended)) return ended
      const { manifest, object } = manifestOf(chunks)
      const kept = object === undefined ? E.right(undefined) : await store(object)
      if (E.isLeft(kept)) return kept
      const opened = kept.right === undefined || object === undefined ? undefined : core.manifests.take(kept.right.hash, object)
      const manifests = new Map(opened !== undefined && kept.right !== undefined ? [[kept.right.hash, opened]] : [])
      return E.right({ content: { kind: 'file', size, hash: contentHash(chunks), manifest, executable, modified }, manifests })
    },
  }
}
