import * as E from 'fp-ts/lib/Either.js'
import { failed, DONE, refused } from '../refusals.ts'
import { cut } from './changes.ts'
import { isRefused, noFolder, reply, type Context, type Reply, type Signed } from './context.ts'

/** Which of these chunks must be sent before a change may name them. */
export const missing = (context: Context, { request, agent }: Signed<'Missing'>): Reply => {
  const foreign = noFolder(context, agent, request.folder)
  if (foreign !== undefined) return reply(foreign)
  const { followed, present } = context.core
  const absent = followed.together(() => request.chunks.filter((hash) => present.size(agent.account, request.folder, hash) === undefined))
  return reply({ tag: 'MissingChunks', status: 200, missing: [...new Set(absent)] })
}

/** Takes chunks in: when it answers they are durable, and the account may name them. */
export const chunks = async (context: Context, { request, agent, payload }: Signed<'Chunks'>): Promise<Reply> => {
  const { core } = context
  const foreign = noFolder(context, agent, request.folder)
  if (foreign !== undefined) return reply(foreign)
  const sent = cut(request.chunks, payload)
  if (isRefused(sent)) return reply(sent)
  await core.followed.room()
  const stored = await core.chunks.store(sent)
  if (E.isLeft(stored))
    return reply(stored.left.tag === 'Damaged' ? refused(400, 'hash', 'Contents: the bytes do not match their hash') : failed(stored.left))
  await core.uploaded(agent.account, request.chunks)
  return reply(DONE)
}
