import * as E from 'fp-ts/lib/Either.js'
import type { Request } from '../protocol/messages.ts'
import { reply, type Reply } from './handlers/context.ts'
import { failed } from './refusals.ts'
import type { Tail } from './tail.ts'

/** What comes of an account's or an agent's very first moments, which another gateway may have seen. */
const FIRST: ReadonlySet<Request['tag']> = new Set<Request['tag']>(['RegisterUser', 'RegisterAgent', 'SignIn', 'Plain'])

/**
 * Where other gateways append too, nobody is refused for what this one has not read yet: it catches up with the log's end before the
 * requests that come first, and before it says that there is no such folder, file or agent.
 */
export const askInStep = async (tail: Tail, request: Request, ask: () => Promise<Reply | undefined>): Promise<Reply | undefined> => {
  if (FIRST.has(request.tag)) {
    const fresh = await tail.catchUp()
    return E.isLeft(fresh) ? reply(failed({ tag: 'Unavailable' })) : ask()
  }
  const answered = await ask()
  if (answered?.answer.tag !== 'Refused' || (answered.answer.status !== 404 && answered.answer.code !== 'folder')) return answered
  const fresh = await tail.catchUp()
  return E.isLeft(fresh) ? reply(failed({ tag: 'Unavailable' })) : ask()
}
