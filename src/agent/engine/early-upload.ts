import * as E from 'fp-ts/lib/Either.js'
import type { Chunk } from '../../domain/content.ts'
import { createGatherer } from '../../lib/gather.ts'
import { createLimit } from '../../lib/limit.ts'
import type { TakeChunk } from '../disk/port.ts'
import { call } from './call.ts'
import type { FolderContext } from './context.ts'
import { WINDOW } from './take-group.ts'

/** Chunks of one question: what comes while the one before is under way. */
const MOST_ASKED = 64

interface Found {
  readonly chunk: Chunk
  readonly bytes: Uint8Array
}

/**
 * Sends the chunks of a large file that the gateway lacks while the file is still being read, so that they are read once and the upload does not wait for
 * the reading. Nothing depends on it: before the file's message goes, all of its chunks are asked for, and those that did not arrive are sent. After a
 * failure the rest is left to that.
 */
export const sendEarly = (ctx: FolderContext): TakeChunk => {
  const { agentKey: key, folder } = ctx.deps
  const sending = createLimit(WINDOW)
  let failed = false
  const useless = (): boolean => failed || !ctx.connected || ctx.stopped()
  const ask = createGatherer(
    async (group: readonly Found[]): Promise<ReadonlySet<string>> => {
      const reply = await call(ctx, { tag: 'Missing', key, folder, chunks: group.map(({ chunk }) => chunk.hash) }, ['MissingChunks'])
      failed ||= E.isLeft(reply)
      return new Set(E.isLeft(reply) ? [] : reply.right.answer.missing)
    },
    MOST_ASKED,
    () => 1,
  )
  const send = async ({ chunk, bytes }: Found): Promise<void> => {
    if (useless()) return
    const reply = await call(ctx, { tag: 'Chunks', key, folder, chunks: [chunk] }, ['Done'], bytes)
    failed ||= E.isLeft(reply)
  }
  return async (chunk, bytes) => {
    // What a file of this folder holds, the gateway most likely has: that is asked when the whole file is known.
    if (useless() || ctx.index.placesOf(chunk.hash, 1).length > 0) return
    if ((await ask({ chunk, bytes })).has(chunk.hash)) await sending(() => send({ chunk, bytes }))
  }
}
