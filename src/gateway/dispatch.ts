import type { Json } from '../protocol/json.ts'
import { ACTIONS, type Request } from '../protocol/messages.ts'
import type { Peer } from '../transport/port.ts'
import { entitled, isRefused, reply, type Context, type Reply } from './handlers/context.ts'
import { agents, renameAgent, revokeAgent } from './handlers/agents.ts'
import { audit, readLog } from './handlers/audit.ts'
import { changes } from './handlers/changes.ts'
import { open } from './handlers/open.ts'
import { registerAgent } from './handlers/register-agent.ts'
import { registerUser } from './handlers/register-user.ts'
import { signIn } from './handlers/sign-in.ts'
import { sync } from './handlers/sync.ts'
import { synced, type Witnessed } from './handlers/synced.ts'
import { chunks, missing } from './handlers/uploads.ts'
import type { PlainHandlers } from './plain/plain.ts'
import { refused } from './refusals.ts'

/** Requests that prove who asks by what they hold themselves. */
type Open = Extract<Request, { tag: 'RegisterUser' | 'RegisterAgent' | 'SignIn' | 'Plain' | 'Bytes' }>
type SignedRequest = Exclude<Request, Open>

export interface Handlers {
  readonly context: Context
  readonly witnessed: Witnessed
  readonly plain: PlainHandlers
}

/** Hands a request to its handler. Undefined: nothing is to be answered yet. */
export const dispatch = async (handlers: Handlers, request: Request, payload: Uint8Array, peer: Peer): Promise<Reply | undefined> => {
  const { context, plain } = handlers
  switch (request.tag) {
    case 'RegisterUser':
      return registerUser(context, { request, payload, peer })
    case 'RegisterAgent':
      return registerAgent(context, { request, payload, peer })
    case 'SignIn':
      return signIn(context, { request, payload, peer })
    case 'Plain':
      return plain.plain({ request, payload, peer })
    case 'Bytes':
      return plain.bytes({ request, payload, peer })
    default:
      return dispatchSigned(handlers, request, payload, peer)
  }
}

const dispatchSigned = async (
  { context, witnessed }: Handlers,
  request: SignedRequest,
  payload: Uint8Array,
  peer: Peer,
): Promise<Reply> => {
  if (peer.agent !== request.key) return reply(refused(403, 'agent', 'the connection is not signed in as this agent'))
  const agent = entitled(context, request.key)
  if (isRefused(agent)) return reply(agent)
  switch (request.tag) {
    case 'Changes':
      return changes(context, { request, payload, peer, agent })
    case 'Missing':
      return missing(context, { request, payload, peer, agent })
    case 'Chunks':
      return chunks(context, { request, payload, peer, agent })
    case 'Sync':
      return sync(context, { request, payload, peer, agent })
    case 'Open':
      return open(context, { request, payload, peer, agent })
    case 'Synced':
      return synced(context, witnessed, { request, payload, peer, agent })
    case 'ReadLog':
      return readLog(context, { request, payload, peer, agent })
    case 'Audit':
      return audit(context, { request, payload, peer, agent })
    case 'Agents':
      return agents(context, { request, payload, peer, agent })
    case 'RenameAgent':
      return renameAgent(context, { request, payload, peer, agent })
    case 'RevokeAgent':
      return revokeAgent(context, { request, payload, peer, agent })
  }
}

const KNOWN: ReadonlySet<Json> = new Set(ACTIONS)

/** A metric's label: never what a client made up. */
export const actionOf = (action: Json | undefined): string => (typeof action === 'string' && KNOWN.has(action) ? action : 'other')
