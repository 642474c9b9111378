import type { FolderId } from '../../domain/events.ts'
import type { Agent } from '../../projections/port.ts'
import type { Answer, Request } from '../../protocol/messages.ts'
import type { Peer } from '../../transport/port.ts'
import type { Attempts } from '../attempts.ts'
import { mayUse, type Core } from '../core.ts'
import { refused, type Refused } from '../refusals.ts'
import type { RefusedSignIns } from '../refused-sign-ins.ts'
import type { FolderWriter } from '../writer/folder-writer.ts'

export interface Context {
  readonly core: Core
  readonly attempts: Attempts
  readonly refusedSignIns: RefusedSignIns
  /** The writer of a folder; the same one while it has work. */
  readonly writer: (folder: FolderId) => FolderWriter
}

/** What a handler is asked, by whom. */
export interface Asked<T extends Request['tag']> {
  readonly request: Extract<Request, { tag: T }>
  readonly payload: Uint8Array
  readonly peer: Peer
}

/** Asked by an agent that signed in on its connection, and is not revoked. */
export interface Signed<T extends Request['tag']> extends Asked<T> {
  readonly agent: Agent
}

export interface Reply {
  readonly answer: Answer
  readonly payload?: Uint8Array
}

export const reply = (answer: Answer): Reply => ({ answer })

export const noFolder = (context: Context, agent: Agent, folder: FolderId): Refused | undefined =>
  mayUse(context.core, agent.account, folder) ? undefined : refused(403, 'folder', 'there is no such folder for this account')

/** The agent, as long as it may do anything. */
export const entitled = ({ core }: Context, key: Agent['key']): Agent | Refused => {
  const agent = core.state.directory.agent(key)
  if (agent === undefined) return refused(403, 'agent', 'the agent is not enrolled')
  return agent.revoked ? refused(403, 'revoked', 'the agent has been revoked') : agent
}

export const isRefused = (value: object): value is Refused => 'tag' in value && value.tag === 'Refused'
