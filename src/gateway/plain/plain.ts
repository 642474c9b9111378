import * as E from 'fp-ts/lib/Either.js'
import type { Change } from '../../domain/change.ts'
import { isLive, type LiveEntry } from '../../domain/decide/view.ts'
import type { FileId, FolderId } from '../../domain/events.ts'
import { parsePath, type SyncPath } from '../../domain/path.ts'
import type { Agent } from '../../projections/port.ts'
import { canonical } from '../../protocol/canonical.ts'
import { encodeChange } from '../../protocol/change-codec.ts'
import { leafHash } from '../../protocol/merkle.ts'
import type { Answer, PlainAction } from '../../protocol/messages.ts'
import type { Peer } from '../../transport/port.ts'
import type { Core } from '../core.ts'
import { createdAt } from '../entries.ts'
import { defaultFolderOf } from '../handlers/accounts.ts'
import { isRefused, reply, type Asked, type Context, type Reply } from '../handlers/context.ts'
import { syncSince } from '../handlers/sync.ts'
import { DONE, failed, refused } from '../refusals.ts'
import { createAuthenticate } from './authenticate.ts'
import { openWhole } from './open-whole.ts'
import { receive, type Received, type Receiving } from './receive.ts'

/** PySync's messages (shared/seed/PySync.md): one change each, by the last writer, on the account's first folder. */
export interface PlainHandlers {
  readonly plain: (asked: Asked<'Plain'>) => Promise<Reply>
  /** The next bytes of a content that was asked for; nothing is answered while more are to come. */
  readonly bytes: (asked: Asked<'Bytes'>) => Promise<Reply | undefined>
}

/** A content that a connection is sending. */
interface Upload {
  readonly agent: Agent
  readonly path: SyncPath
  readonly executable: boolean
  readonly receiving: Receiving
  /** Bytes that are still to come. */
  left: number
  /** It was refused on the way: the bytes still to come are let go. */
  refused: boolean
}

const NOT_FOUND = refused(404, 'notFound', 'there is no such file')

export const createPlain = (context: Context): PlainHandlers => {
  const { core } = context
  const authenticate = createAuthenticate(context)
  const uploads = new WeakMap<Peer, Upload>()
  const begin = async (agent: Agent, peer: Peer, path: SyncPath, size: number, executable: boolean): Promise<Reply> => {
    const upload: Upload = { agent, path, executable, receiving: receive(core, agent.account, size), left: size, refused: false }
    if (size === 0) return reply(await finish(context, upload))
    uploads.set(peer, upload)
    return reply({ tag: 'SendChunks', status: 100, missing: [] })
  }
  const act = async (agent: Agent, action: PlainAction, peer: Peer): Promise<Reply> => {
    const folder = defaultFolderOf(agent.account)
    switch (action.tag) {
      case 'Create':
        return begin(agent, peer, action.path, action.size, false)
      case 'Update': {
        const entry = find(core, folder, action.name)
        return entry?.content.kind === 'file' ? begin(agent, peer, entry.path, action.size, entry.content.executable) : reply(NOT_FOUND)
      }
      case 'Delete': {
        const entry = find(core, folder, action.name)
        return reply(entry === undefined ? NOT_FOUND : await submit(context, agent, { tag: 'delete', path: entry.path, base: 'any' }))
      }
      case 'Open': {
        const entry = find(core, folder, action.name)
        return entry?.content.kind === 'file' ? openWhole(core, entry) : reply(NOT_FOUND)
      }
      case 'Sync':
        return reply(await syncPlain(core, agent, folder, action.position))
    }
  }
  return {
    plain: async ({ request, peer }) => {
      // A new request ends what its connection was sending.
      uploads.delete(peer)
      const agent = await authenticate(request, peer)
      return isRefused(agent) ? reply(agent) : act(agent, request.action, peer)
    },
    bytes: async ({ payload, peer }) => {
      const upload = uploads.get(peer)
      if (upload === undefined) return reply(refused(400, 'format', 'no bytes were asked for'))
      const answer = await takeBytes(context, upload, payload)
      if (upload.left <= 0) uploads.delete(peer)
      return answer === undefined ? undefined : reply(answer)
    },
  }
}

const takeBytes = async (context: Context, upload: Upload, payload: Uint8Array): Promise<Answer | undefined> => {
  upload.left -= payload.length
  if (upload.refused) return undefined
  if (upload.left < 0) return refused(400, 'format', 'File.Size must be the number of bytes that come')
  const pushed = await upload.receiving.push(payload)
  if (E.isLeft(pushed)) {
    upload.refused = true
    return failed(pushed.left)
  }
  return upload.left === 0 ? finish(context, upload) : undefined
}

const finish = async (context: Context, { agent, path, executable, receiving }: Upload): Promise<Answer> => {
  const { core } = context
  const received = await receiving.finish(`${Math.floor(core.clock.wall())}000000`, executable)
  if (E.isLeft(received)) return failed(received.left)
  return submit(context, agent, { tag: 'update', path, content: received.right.content, base: 'any' }, received.right.manifests)
}

/** One change of the last writer's, through the folder's writer like all others. */
const submit = async (context: Context, agent: Agent, change: Change, manifests: Received['manifests'] = new Map()): Promise<Answer> => {
  const { core } = context
  const text = canonical(encodeChange(change))
  const answer = await context.writer(defaultFolderOf(agent.account)).submit({
    agent,
    changes: [change],
    canonical: [text],
    leaves: [leafHash(text)],
    epoch: core.random(8).toString('hex'),
    number: 0,
    signed: undefined,
    clientTime: core.clock.wall() / 1000,
    contents: new Map(),
    manifests,
  })
  if (answer.tag !== 'Changed') return answer
  const [outcome] = answer.outcomes
  return outcome === undefined || outcome.status === 200 ? DONE : refused(outcome.status, outcome.code, outcome.reason)
}

const FILE_ID = /^[0-9a-f]{32}$/

/** By the file's id, which PySync's documents write in upper case, or by its path. */
const find = (core: Core, folder: FolderId, name: string): LiveEntry | undefined => {
  const tree = core.state.tree(folder)
  const id = name.toLowerCase()
  // The form of a FileId has just been checked.
  const byId = FILE_ID.test(id) ? tree.live(id as FileId) : undefined
  const path = parsePath(name)
  const entry = byId ?? (E.isRight(path) ? tree.get(path.right) : undefined)
  return isLive(entry) ? entry : undefined
}

/** Without a position, everything since the last time: what a PySync client has been told is remembered for it. */
const syncPlain = async (core: Core, agent: Agent, folder: FolderId, position: number): Promise<Answer> => {
  const since = position >= 0 ? position : core.uploads.toldPosition(agent.key, folder)
  const answer = await syncSince(core, folder, since)
  if (answer.tag !== 'Synced') return answer
  core.uploads.setTold(agent.key, folder, answer.position)
  return { ...answer, entries: answer.entries.map((entry) => ({ ...entry, created: createdAt(entry) > since })) }
}
