import { either as E } from 'fp-ts'
import type { AgentKey, FolderId } from '../domain/events.ts'
import { createLru } from '../lib/lru.ts'
import { encodeAnswer } from '../protocol/answer.ts'
import type { Json } from '../protocol/json.ts'
import type { Request } from '../protocol/messages.ts'
import { decodeRequest } from '../protocol/request.ts'
import { NO_BYTES, type Envelope, type Handler, type Peer } from '../transport/port.ts'
import { createAttempts } from './attempts.ts'
import { runHourly } from './checkpoint.ts'
import { createCore } from './core.ts'
import type { GatewayDeps, Notifier } from './deps.ts'
import { entitled, isRefused, reply, type Context, type Reply } from './handlers/context.ts'
import { agents, renameAgent, revokeAgent } from './handlers/agents.ts'
import { changes } from './handlers/changes.ts'
import { open } from './handlers/open.ts'
import { registerAgent } from './handlers/register-agent.ts'
import { registerUser } from './handlers/register-user.ts'
import { signIn } from './handlers/sign-in.ts'
import { sync } from './handlers/sync.ts'
import { synced, type Witnessed } from './handlers/synced.ts'
import { chunks, missing } from './handlers/uploads.ts'
import { createPlain, type PlainHandlers } from './plain/plain.ts'
import { refused } from './refusals.ts'
import { createFolderWriter, type FolderWriter } from './writer/folder-writer.ts'

export interface Gateway {
  readonly handle: Handler
  /** Takes no new request and resolves when those begun are answered. */
  readonly drain: () => Promise<void>
  /** Whether it takes requests. */
  readonly ready: () => boolean
  /** Signs a Checkpoint each hour, and forgets old uploads, until the signal aborts. */
  readonly runHourly: (signal: AbortSignal) => Promise<void>
  /** Whom to tell when a folder grows or an agent is revoked: each transport that serves. */
  readonly addNotifier: (notifier: Notifier) => void
}

/** Requests that prove who asks by what they hold themselves. */
type Open = Extract<Request, { tag: 'RegisterUser' | 'RegisterAgent' | 'SignIn' | 'Plain' | 'Bytes' }>
type SignedRequest = Exclude<Request, Open>

const MAX_WITNESSED = 100_000

export const createGateway = (deps: GatewayDeps): Gateway => {
  const notifiers: Notifier[] = []
  const core = createCore(deps, {
    notify: (keys: readonly AgentKey[], told) => notifiers.forEach((notifier) => notifier.notify(keys, told)),
    disconnect: (key, reason) => notifiers.forEach((notifier) => notifier.disconnect(key, reason)),
  })
  const context: Context = { core, attempts: createAttempts(deps.settings.limits.attempts, deps.clock), writer: writers(core) }
  const witnessed: Witnessed = createLru(MAX_WITNESSED)
  const underWay = createUnderWay()
  const plain = createPlain(context)
  const answer = async (envelope: Envelope, peer: Peer): Promise<Reply | undefined> => {
    const request = decodeRequest(envelope.message, peer.plain)
    if (E.isLeft(request)) return reply(refused(400, 'format', `${request.left.field} ${request.left.reason}`))
    return dispatch({ context, witnessed, plain }, request.right, envelope.payload, peer)
  }
  return {
    addNotifier: (notifier) => void notifiers.push(notifier),
    ready: () => !underWay.isClosed(),
    runHourly: (signal) => runHourly(core, signal),
    drain: underWay.close,
    handle: async (envelope, peer) => {
      const started = deps.clock.monotonic()
      const done = underWay.begin()
      const answered =
        done === undefined ? reply(refused(503, 'busy', 'the gateway is stopping')) : await guarded(deps, () => answer(envelope, peer))
      done?.()
      if (answered === undefined) return { message: {}, payload: NO_BYTES }
      deps.metrics.request(actionOf(envelope.message['Action']), answered.answer.status, (deps.clock.monotonic() - started) / 1000)
      return { message: encodeAnswer(answered.answer, deps.clock.wall() / 1000), payload: answered.payload ?? NO_BYTES }
    },
  }
}

/** A throw is a bug: it is the operator's to read, and the client's to know that it is not its fault. */
const guarded = async ({ logger }: GatewayDeps, run: () => Promise<Reply | undefined>): Promise<Reply | undefined> => {
  try {
    return await run()
  } catch (error) {
    logger.error('a request failed', { error: error instanceof Error ? error.stack : String(error) })
    return reply(refused(500, 'fault', 'the gateway failed'))
  }
}

interface Handlers {
  readonly context: Context
  readonly witnessed: Witnessed
  readonly plain: PlainHandlers
}

const dispatch = async (handlers: Handlers, request: Request, payload: Uint8Array, peer: Peer): Promise<Reply | undefined> => {
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
    case 'Agents':
      return agents(context, { request, payload, peer, agent })
    case 'RenameAgent':
      return renameAgent(context, { request, payload, peer, agent })
    case 'RevokeAgent':
      return revokeAgent(context, { request, payload, peer, agent })
  }
}

/** One writer a folder, kept while it has work. */
const writers = (core: Context['core']): Context['writer'] => {
  const MAX_IDLE = 1000
  const known = new Map<FolderId, FolderWriter>()
  return (folder) => {
    const writer = known.get(folder) ?? createFolderWriter(core, folder)
    known.set(folder, writer)
    if (known.size > MAX_IDLE) for (const [key, other] of known) if (other.isIdle() && other !== writer) known.delete(key)
    return writer
  }
}

interface UnderWay {
  /** Undefined once closed; otherwise how to say that the request is answered. */
  readonly begin: () => (() => void) | undefined
  readonly close: () => Promise<void>
  readonly isClosed: () => boolean
}

const createUnderWay = (): UnderWay => {
  let count = 0
  let closed = false
  let empty: () => void = () => undefined
  const drained = new Promise<void>((resolve) => (empty = resolve))
  return {
    begin: () => {
      if (closed) return undefined
      count += 1
      return () => {
        count -= 1
        if (closed && count === 0) empty()
      }
    },
    close: () => {
      closed = true
      if (count === 0) empty()
      return drained
    },
    isClosed: () => closed,
  }
}

const ACTIONS: ReadonlySet<Json> = new Set<Request['tag'] | 'Create' | 'Update' | 'Delete'>([
  'RegisterUser',
  'RegisterAgent',
  'SignIn',
  'Changes',
  'Missing',
  'Chunks',
  'Sync',
  'Open',
  'Synced',
  'Agents',
  'RenameAgent',
  'RevokeAgent',
  'Bytes',
  'Create',
  'Update',
  'Delete',
])

/** A metric's label: never what a client made up. */
const actionOf = (action: Json | undefined): string => (typeof action === 'string' && ACTIONS.has(action) ? action : 'other')
