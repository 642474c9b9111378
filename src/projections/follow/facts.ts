import type { Revision } from '../../domain/change.ts'
import type { Chunk, Content, Hash, Kind } from '../../domain/content.ts'
import type { AgentKey, FileEvent, FileId, FolderId, PackEvent, RetentionEvent } from '../../domain/events.ts'
import type { SyncPath } from '../../domain/path.ts'
import { isFileEvent } from '../../domain/tree.ts'
import type { DecodedEvent, ManifestChunks } from '../port.ts'

/** What a path held from a revision on; without kind and hash: nothing (it was deleted, or moved away). */
export interface HistoryRow {
  readonly folder: FolderId
  readonly path: SyncPath
  readonly revision: Revision
  readonly fileId: FileId
  readonly type: FileEvent['type']
  readonly kind: Kind | undefined
  readonly hash: Hash | undefined
  readonly agent: AgentKey | undefined
}

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
  readonly history: readonly HistoryRow[]
  /** What versions in `folder` name: their chunks, and their manifest objects. */
  readonly chunks: { readonly folder: FolderId; readonly named: readonly Chunk[] } | undefined
  readonly position?: PositionRow
}

const NOTHING: Facts = { history: [], chunks: undefined }

/** The fold's one step, for the tables and for what is kept of the latest events beside them. */
export const factsOf = ({ event: decoded, metadata }: DecodedEvent, revision: Revision, manifests: ManifestChunks): Facts => {
  switch (decoded.of) {
    case 'packs':
      return decoded.event.type === 'PackStored'
        ? { ...NOTHING, pack: decoded.event }
        : { ...NOTHING, retention: { event: decoded.event, time: metadata.time } }
    case 'agent': {
      const { agent, folder, position, chain } = decoded.event
      return { ...NOTHING, position: { agent, folder, position, chain } }
    }
    case 'folder':
      return isFileEvent(decoded.event) ? fileFacts(decoded.folder, decoded.event, revision, metadata.agent, manifests) : NOTHING
    case 'account':
    case 'gateway':
      return NOTHING
  }
}

const fileFacts = (
  folder: FolderId,
  event: FileEvent,
  revision: Revision,
  agent: AgentKey | undefined,
  manifests: ManifestChunks,
): Facts => {
  const { type, path, fileId } = event
  const content = event.type === 'FileDeleted' ? undefined : event.content
  const row: HistoryRow = { folder, path, revision, fileId, type, kind: content?.kind, hash: content?.hash, agent }
  const left: HistoryRow[] = event.type === 'FileMoved' ? [{ ...row, path: event.from, kind: undefined, hash: undefined }] : []
  const named = content === undefined ? [] : chunksOf(content, manifests)
  return { history: [...left, row], chunks: named.length === 0 ? undefined : { folder, named } }
}

const chunksOf = ({ manifest }: Content, manifests: ManifestChunks): readonly Chunk[] =>
  manifest.tag === 'chunks' ? manifest.chunks : [{ hash: manifest.hash, size: manifest.size }, ...(manifests(manifest.hash) ?? [])]
