import * as E from 'fp-ts/lib/Either.js'
import type { AccountEvent, AgentKey } from '../../domain/events.ts'
import type { Agent } from '../../projections/port.ts'
import type { Answer } from '../../protocol/messages.ts'
import { DONE, failed, refused } from '../refusals.ts'
import { accountDraft, appendToAccount } from './accounts.ts'
import { reply, type Context, type Reply, type Signed } from './context.ts'

/** All agents that the account has ever enrolled. */
export const agents = ({ core }: Context, { agent }: Signed<'Agents'>): Reply =>
  reply({
    tag: 'AgentList',
    status: 200,
    agents: core.state.directory.agentsOf(agent.account).map(({ key, name, registered, revoked }) => ({
      key,
      name,
      registered: new Date(registered).toISOString(),
      revoked,
      self: key === agent.key,
    })),
  })

export const renameAgent = async (context: Context, { request, agent }: Signed<'RenameAgent'>): Promise<Reply> => {
  const chance = context.core.random(16).toString('hex')
  return reply(
    await changeAgent(context, agent, request.target, `agent/${request.target}/renamed/${chance}`, (target) =>
      target.name === request.name ? undefined : { type: 'AgentRenamed', agent: target.key, name: request.name },
    ),
  )
}

/** From the append on the agent is refused everything; its connections are cut at once. */
export const revokeAgent = async (context: Context, { request, agent }: Signed<'RevokeAgent'>): Promise<Reply> => {
  const answer = await changeAgent(context, agent, request.target, `agent/${request.target}/revoked`, (target) =>
    target.revoked ? undefined : { type: 'AgentRevoked', agent: target.key, reason: request.reason },
  )
  if (answer.status === 200) context.core.notifier.disconnect(request.target, 'the agent has been revoked')
  return reply(answer)
}

/** Any agent of an account may rename and revoke its agents. */
const changeAgent = async (
  { core }: Context,
  agent: Agent,
  target: AgentKey,
  name: string,
  eventFor: (target: Agent) => AccountEvent | undefined,
): Promise<Answer> => {
  const appended = await appendToAccount(core, agent.account, () => {
    const known = core.state.directory.agent(target)
    if (known?.account !== agent.account) return E.left(refused(404, 'notFound', 'the account has no such agent'))
    const event = eventFor(known)
    return E.right(
      event === undefined ? undefined : accountDraft(core, event, name, { account: agent.account, agent: agent.key, proof: 'gateway' }),
    )
  })
  if (E.isRight(appended)) return DONE
  return appended.left.tag === 'Refused' ? appended.left : failed(appended.left)
}
