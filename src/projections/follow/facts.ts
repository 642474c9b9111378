import type { Chunk, Content } from '../../domain/content.ts'
import type { AccountEvent, AgentKey, FileEvent, FolderEvent, FolderId, PackEvent, RetentionEvent } from '../../domain/events.ts'
import { isFileEvent } from '../../domain/tree.ts'
import type { EventMetadata } from '../../protocol/event-codec.ts'
import type { HistoryEvent, NamedAccount, NamedAgent, NamedFolder } from '../history/port.ts'
import type { DecodedEvent, ManifestChunks } from '../port.ts'

/** An agent's word on what it had seen of a folder. */
export interface PositionRow {
  readonly agent: AgentKey
  readonly folder: FolderId
  readonly position: number
  readonly chain: string
}

/** What became of an object's chunks, and the gateway's clock at it. */
export interface RetentionRow {
  readonly event: RetentionEvent
  readonly time: number
}

/** What one event tells the following projections. */
export interface Facts {
  readonly pack?: PackEvent
  readonly retention?: RetentionRow
  /** One for each event of a folder. */
  readonly history?: HistoryEvent & { readonly folder: FolderId }
  /** What versions in `folder` name: their chunks, and their manifest objects. */
  readonly chunks?: { readonly folder: FolderId; readonly named: readonly Chunk[] }
  readonly position?: PositionRow
  readonly named?: Named
}

export type Named =
  | ({ readonly tag: 'folder' } & NamedFolder)
  | ({ readonly tag: 'account' } & NamedAccount)
  | ({ readonly tag: 'agent' } & NamedAgent)
  | ({ readonly tag: 'renamed' } & Omit<NamedAgent, 'account'>)

const NOTHING: Facts = {}

/** The fold's one step, for the tables and for what is kept of the latest events beside them. */
export const factsOf = ({ event: decoded, metadata }: DecodedEvent, revision: number, manifests: ManifestChunks): Facts => {
  switch (decoded.of) {
    case 'packs':
      return decoded.event.type === 'PackStored' ? { pack: decoded.event } : { retention: { event: decoded.event, time: metadata.time } }
    case 'agent': {
      const { agent, folder, position, chain } = decoded.event
      return { position: { agent, folder, position, chain } }
    }
    case 'folder':
      return folderFacts(decoded.folder, decoded.event, revision, metadata, manifests)
    case 'account':
      return accountFacts(decoded.event)
    case 'gateway':
      return NOTHING
  }
}

const accountFacts = (event: AccountEvent): Facts => {
  switch (event.type) {
    case 'AccountRegistered':
      return { named: { tag: 'account', account: event.account, email: event.email } }
    case 'AgentRegistered':
      return { named: { tag: 'agent', agent: event.agent, account: event.account, name: event.name } }
    case 'AgentRenamed':
      return { named: { tag: 'renamed', agent: event.agent, name: event.name } }
    default:
      return NOTHING
  }
}

const folderFacts = (
  folder: FolderId,
  event: FolderEvent,
  revision: number,
  { time, clientTime, account, agent, proof }: EventMetadata,
  manifests: ManifestChunks,
): Facts => {
  const sent = { folder, revision, type: event.type, time, clientTime, account, agent, proof }
  if (!isFileEvent(event)) {
    const { type: _, ...own } = event
    const history = { ...sent, path: undefined, from: undefined, fileId: undefined, content: undefined, detail: JSON.stringify(own) }
    return event.type === 'FolderCreated'
      ? { history, named: { tag: 'folder', folder, account: event.account, name: event.name } }
      : { history }
  }
  const content = contentOf(event)
  const { path, fileId } = event
  const from = event.type === 'FileMoved' ? event.from : undefined
  const history = { ...sent, path, from, fileId, content, detail: undefined }
  const named = content === undefined ? [] : chunksOf(content, manifests)
  return named.length === 0 ? { history } : { history, chunks: { folder, named } }
}

const contentOf = (event: FileEvent): Content | undefined => (event.type === 'FileDeleted' ? undefined : event.content)

const chunksOf = ({ manifest }: Content, manifests: ManifestChunks): readonly Chunk[] =>
  manifest.tag === 'chunks' ? manifest.chunks : [{ hash: manifest.hash, size: manifest.size }, ...(manifests(manifest.hash) ?? [])]
