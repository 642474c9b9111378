import * as E from 'fp-ts/lib/Either.js'
import type { AgentKey } from '../../domain/events.ts'
import type { Lru } from '../../lib/lru.ts'
import { agentStream } from '../../protocol/streams.ts'
import { encodeAgentEvent, encodeMetadata } from '../../protocol/event-codec.ts'
import { uuidV5 } from '../../protocol/event-ids.ts'
import { witnessText } from '../../protocol/signing.ts'
import type { Draft } from '../append.ts'
import type { Core } from '../core.ts'
import { DONE, failed, refused, type Refused } from '../refusals.ts'
import { noFolder, reply, type Context, type Reply, type Signed } from './context.ts'
import { chainAt, reaches } from './sync.ts'

const MINUTE_MS = 60_000

/** When each agent's word was last kept, by the clock that only grows. */
export type Witnessed = Lru<AgentKey, number>

/** An agent's signed word on what it has seen; one a minute is kept. */
export const synced = async (context: Context, witnessed: Witnessed, { request, agent }: Signed<'Synced'>): Promise<Reply> => {
  const { core } = context
  const foreign = noFolder(context, agent, request.folder)
  if (foreign !== undefined) return reply(foreign)
  const now = core.clock.monotonic()
  const last = witnessed.get(agent.key)
  if (last !== undefined && now - last < MINUTE_MS) return reply(DONE)
  if (
    agent.publicKey === null ||
    !(await core.verify(agent.publicKey, witnessText(request.folder, request.position, request.chain), request.signature))
  ) {
    return reply(refused(403, 'signature', "the signature is not the enrolled key's over this position"))
  }
  const stranger = await wrongWitness(core, request)
  if (stranger !== undefined) return reply(stranger)
  witnessed.set(agent.key, now)
  const draft = draftOf(core, request, agent.account)
  const written = await core.appender.append<never, undefined>(agentStream(agent.key), async () =>
    E.right({ drafts: [draft], result: undefined }),
  )
  return reply(E.isLeft(written) ? failed(written.left) : DONE)
}

/** What the log never was is no word on it: kept, it would accuse the log of having been rewritten. The agent finds out by `Sync` (I10). */
const wrongWitness = async (core: Core, { folder, position, chain }: Signed<'Synced'>['request']): Promise<Refused | undefined> => {
  if (!(await reaches(core, folder, position))) return failed({ tag: 'Unavailable' })
  const own = await chainAt(core, folder, position)
  if (E.isLeft(own)) return failed(own.left)
  return own.right === chain ? undefined : refused(409, 'chain', 'the log does not have this chain at this position, or ends before it')
}

const draftOf = (
  core: Core,
  { key, folder, position, chain, signature }: Signed<'Synced'>['request'],
  account: Signed<'Synced'>['agent']['account'],
): Draft => ({
  id: uuidV5(`synced/${key}/${folder}/${position}/${signature}/${core.random(8).toString('hex')}`),
  ...encodeAgentEvent({ type: 'AgentSynced', agent: key, folder, position, chain, signature }),
  metadata: encodeMetadata({ account, agent: key, time: core.clock.wall(), proof: 'signed' }),
})
