import * as E from 'fp-ts/lib/Either.js'
import type { Revision } from '../../domain/change.ts'
import type { Hash } from '../../domain/content.ts'
import { call, noteFailure } from './call.ts'
import type { FolderContext } from './context.ts'

/** Chunks that came, by hash, and those that the gateway says it lacks. What is in neither did not fit into the answer: ask again. */
export interface Opened {
  readonly bytes: ReadonlyMap<Hash, Uint8Array>
  readonly missing: ReadonlySet<Hash>
}

/** Asks for chunks of versions; undefined where no answer came (the failure is noted). `unchecked`: the caller looks for wrong bytes itself. */
export const open = async (
  ctx: FolderContext,
  files: readonly { readonly version: Revision; readonly chunks: readonly Hash[] }[],
  unchecked = false,
): Promise<Opened | undefined> => {
  const { agentKey: key, folder } = ctx.deps
  const reply = await call(ctx, { tag: 'Open', key, folder, unchecked, files }, ['Opened'])
  if (E.isLeft(reply)) {
    noteFailure(ctx, reply.left)
    return undefined
  }
  const { answer, payload } = reply.right
  const bytes = new Map<Hash, Uint8Array>()
  let offset = 0
  for (const { hash, size } of answer.chunks) {
    bytes.set(hash, payload.subarray(offset, offset + size))
    offset += size
  }
  return { bytes, missing: new Set(answer.missing) }
}
