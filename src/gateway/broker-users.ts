import { createHmac } from 'node:crypto'
import type { AgentKey } from '../domain/events.ts'
import { createLru } from '../lib/lru.ts'
import type { Agent } from '../projections/port.ts'
import type { Code } from '../protocol/messages.ts'
import { brokerPasswordText } from '../protocol/signing.ts'
import { createAttempts } from './attempts.ts'
import type { GatewayDeps } from './deps.ts'
import type { RefusedSignIns } from './refused-sign-ins.ts'

/** The agents as a message broker's users, which it asks about. */
export interface AgentsAsUsers {
  /** Whether a password is right: an agent's is its signature, a PySync client's is its account's. */
  readonly check: (user: string, password: string) => Promise<boolean>
  /** Undefined: nobody who may come, or not any more. */
  readonly kindOf: (user: string) => 'agent' | 'plain' | undefined
  readonly plainClients: boolean
  /** Whether a user may make one more queue now. */
  readonly mayDeclare: (user: string) => boolean
}

/** Each connection makes one queue. The enrolment account stands for many. */
const QUEUES = { burst: 30, perMinute: 30 }
/** Passwords that were right lately: clients of PySync connect often, and a derivation takes 60 ms. */
const MAX_KNOWN = 10_000

const isKey = (user: string): user is AgentKey => /^[0-9A-F]{32}$/.test(user)

type Deps = Pick<GatewayDeps, 'state' | 'verify' | 'passwords' | 'settings' | 'clock' | 'random'>

export const createBrokerUsers = (
  { state, verify, passwords, settings, clock, random }: Deps,
  refusedSignIns: Pick<RefusedSignIns, 'note'>,
): AgentsAsUsers => {
  const attempts = createAttempts(settings.limits.attempts, clock)
  const declared = createAttempts(QUEUES, clock)
  const secret = random(32)
  const known = createLru<string, true>(MAX_KNOWN)
  const plainClients = settings.passwordClients === 'allow'
  const agentOf = (user: string): Agent | undefined => {
    const agent = isKey(user) ? state.directory.agent(user) : undefined
    return agent === undefined || agent.revoked || (agent.publicKey === null && !plainClients) ? undefined : agent
  }
  const isPassword = async (agent: Agent, password: string): Promise<boolean> => {
    const verifier = state.directory.account(agent.account)?.verifier
    const digest = createHmac('sha256', secret).update(`${verifier}\0${password}`).digest('base64')
    if (verifier !== undefined && known.get(digest) === true) return true
    const buckets = [`account/${agent.account}`]
    if (!attempts.take(buckets)) return false
    const right = await passwords.check(password, verifier)
    if (right) {
      attempts.giveBack(buckets)
      known.set(digest, true)
    }
    return right
  }
  const isRight = async (agent: Agent, password: string): Promise<boolean> =>
    // A signature cannot be guessed: its attempts need no limit, and nobody can use one up for another.
    agent.publicKey === null ? isPassword(agent, password) : verify(agent.publicKey, brokerPasswordText(agent.key), password)
  const codeOf = (user: string): Code => {
    const agent = isKey(user) ? state.directory.agent(user) : undefined
    if (agent === undefined) return 'agent'
    if (agent.revoked) return 'revoked'
    if (agent.publicKey !== null) return 'signature'
    return plainClients ? 'password' : 'passwordClients'
  }
  return {
    plainClients,
    mayDeclare: (user) => declared.take([user]),
    kindOf: (user) => {
      const agent = agentOf(user)
      if (agent === undefined) return undefined
      return agent.publicKey === null ? 'plain' : 'agent'
    },
    check: async (user, password) => {
      const agent = agentOf(user)
      if (agent !== undefined && (await isRight(agent, password))) return true
      refusedSignIns.note({ status: 403, code: codeOf(user) }, { address: undefined, ...(isKey(user) ? { agent: user } : {}) })
      return false
    },
  }
}
