import { signInText } from '../../protocol/signing.ts'
import { DONE, refused, type Refused } from '../refusals.ts'
import { entitled, isRefused, reply, type Asked, type Context, type Reply } from './context.ts'

/**
 * Proves that a connection is an agent's, by its signature over the connection's own nonce. Only wrong ones count as attempts: whoever
 * guesses passwords from an address, or in an account's name, locks out no agent there that holds its key.
 */
export const signIn = async (context: Context, asked: Asked<'SignIn'>): Promise<Reply> => {
  const wrong = await wrongSignIn(context, asked)
  if (wrong === undefined) {
    asked.peer.agent = asked.request.key
    return reply(DONE)
  }
  const taken = context.attempts.take([`sign-in/${asked.peer.address}`])
  const answer = taken ? wrong : refused(429, 'tooMany', 'too many attempts: wait before the next')
  context.refusedSignIns.note(answer, { address: asked.peer.address, agent: asked.request.key })
  return reply(answer)
}

const wrongSignIn = async (context: Context, { request, peer }: Asked<'SignIn'>): Promise<Refused | undefined> => {
  const agent = entitled(context, request.key)
  if (isRefused(agent)) return agent
  const right =
    request.nonce === peer.nonce &&
    agent.publicKey !== null &&
    (await context.core.verify(agent.publicKey, signInText(peer.nonce, request.key), request.signature))
  if (!right) return refused(403, 'signature', "the signature is not the enrolled key's over this connection's nonce")
  // It may have been revoked while the signature was verified.
  const still = entitled(context, request.key)
  return isRefused(still) ? still : undefined
}
