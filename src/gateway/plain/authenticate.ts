import { createHmac } from 'node:crypto'
import { createLru } from '../../lib/lru.ts'
import type { AccountId } from '../../domain/events.ts'
import type { Agent } from '../../projections/port.ts'
import { accountIdOf } from '../../protocol/event-ids.ts'
import type { Request } from '../../protocol/messages.ts'
import type { Peer } from '../../transport/port.ts'
import { isRefused, type Context } from '../handlers/context.ts'
import { refused, type Refused } from '../refusals.ts'

/** Who sends a message that proves itself by its password. */
type Plain = Extract<Request, { tag: 'Plain' }>

export type Authenticate = (request: Plain, peer: Peer) => Promise<Agent | Refused>

/** Passwords that were right lately. */
const MAX_KNOWN = 10_000

/**
 * Every message of a plain client brings its password, and a derivation takes 60 ms: what was right once is known again by a digest
 * under a key of this process. It covers the verifier, so that a new password ends it.
 */
export const createAuthenticate = ({ core, attempts, refusedSignIns }: Context): Authenticate => {
  const secret = core.random(32)
  const known = createLru<string, true>(MAX_KNOWN)
  const isRight = async (password: string, verifier: string | undefined): Promise<boolean> => {
    const digest = createHmac('sha256', secret).update(`${verifier}\0${password}`).digest('base64')
    if (verifier !== undefined && known.get(digest) === true) return true
    const right = await core.passwords.check(password, verifier)
    if (right) known.set(digest, true)
    return right
  }
  const authenticate = async ({ key, password }: Plain, account: AccountId, peer: Peer): Promise<Agent | Refused> => {
    if (core.settings.passwordClients === 'refuse')
      return refused(403, 'passwordClients', 'this gateway takes no clients that prove themselves by a password alone')
    if (peer.agent !== undefined && peer.agent !== key)
      return refused(403, 'agent', 'the message names another agent than the one that the broker knows it by')
    const buckets = [`address/${peer.address}`, `account/${account}`]
    if (!attempts.take(buckets)) return refused(429, 'tooMany', 'too many attempts: wait before the next')
    if (!(await isRight(password, core.state.directory.account(account)?.verifier)))
      return refused(403, 'password', 'the email address or the password is wrong')
    attempts.giveBack(buckets)
    const agent = core.state.directory.agent(key)
    // An agent with a key of its own signs what it sends.
    if (agent?.account !== account || agent.publicKey !== null) return refused(403, 'agent', 'the agent is not enrolled')
    if (agent.revoked) return refused(403, 'revoked', 'the agent has been revoked')
    peer.proved = true
    return agent
  }
  return async (request, peer) => {
    const account = accountIdOf(request.email)
    const agent = await authenticate(request, account, peer)
    if (isRefused(agent)) refusedSignIns.note(agent, { address: peer.address, account, agent: request.key })
    return agent
  }
}
