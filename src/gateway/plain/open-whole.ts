import * as E from 'fp-ts/lib/Either.js'
import type { LiveEntry } from '../../domain/decide/view.ts'
import type { Core } from '../core.ts'
import { reply, type Reply } from '../handlers/context.ts'
import { failed, refused } from '../refusals.ts'

/** A file's whole content in one answer, as PySync's clients expect it; a larger one than the limit is for agents. */
export const openWhole = async (core: Core, { path, content }: LiveEntry): Promise<Reply> => {
  const { size, manifest } = content
  if (size > core.settings.limits.plainOpenBytes) return reply(refused(413, 'tooLarge', 'the file is too large to be opened whole'))
  const named = manifest.tag === 'chunks' ? manifest : await core.manifests.load(manifest.hash)
  if (named === undefined) return reply(failed({ tag: 'Damaged' }))
  const bytes = Buffer.alloc(size)
  let at = 0
  for (const { hash } of named.chunks) {
    const chunk = await core.chunks.read(hash)
    if (E.isLeft(chunk)) return reply(failed(chunk.left))
    at += chunk.right.copy(bytes, at)
  }
  return at === size ? { answer: { tag: 'OpenedFile', status: 200, path, size }, payload: bytes } : reply(failed({ tag: 'Damaged' }))
}
