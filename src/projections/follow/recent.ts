import type { Revision } from '../../domain/change.ts'
import type { Hash } from '../../domain/content.ts'
import type { Version } from '../../domain/decide/view.ts'
import type { FolderId, RetentionEvent } from '../../domain/events.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { FollowReads } from '../port.ts'
import type { HistoryEvent } from '../history/port.ts'
import type { Facts } from './facts.ts'
import { objectKey, objectsOf } from './retired.ts'

type Place = NonNullable<ReturnType<FollowReads['find']>>

/** What was appended since the tables' checkpoint, in memory. */
export interface Recent extends Omit<FollowReads, 'together' | 'find' | 'isGone'> {
  /** `order`: the place in the log of the last of the events that told these facts. */
  add(order: bigint, facts: readonly Facts[]): void
  /** 'gone': retired, and not stored again since. */
  find(hash: Hash): Place | 'gone' | undefined
  /** The tables hold everything up to this place. */
  trim(order: bigint): void
  /** Undefined: nothing recent tells. */
  isGone(hash: Hash): boolean | undefined
  /** Rows held, all together. */
  readonly size: () => number
}

interface FolderPart {
  readonly chunks: Map<Hash, number>
  readonly versions: Map<Revision, Version>
  /** By the path that held their content. */
  readonly events: Map<SyncPath, HistoryEvent[]>
}

/** Facts that the tables will have at once: they are dropped together, which costs nothing a row. */
interface Segment {
  /** The place in the log up to which it reaches. */
  order: bigint
  size: number
  readonly places: Map<Hash, Place | 'gone'>
  readonly retired: Set<string>
  readonly folders: Map<FolderId, FolderPart>
}

const SEGMENT_ROWS = 4096

const newSegment = (order: bigint): Segment => ({ order, size: 0, places: new Map(), retired: new Set(), folders: new Map() })

const partOf = ({ folders }: Segment, folder: FolderId): FolderPart => {
  const known = folders.get(folder)
  if (known !== undefined) return known
  const part: FolderPart = { chunks: new Map(), versions: new Map(), events: new Map() }
  folders.set(folder, part)
  return part
}

const addEvent = (part: FolderPart, event: HistoryEvent): void => {
  const { content, path, fileId, revision } = event
  if (content === undefined || path === undefined || fileId === undefined) return
  const events = part.events.get(path)
  if (events === undefined) part.events.set(path, [event])
  else events.push(event)
  part.versions.set(revision, { path, fileId, kind: content.kind, hash: content.hash })
}

const addRetention = (segment: Segment, event: RetentionEvent): void => {
  for (const object of objectsOf(event)) segment.retired.add(objectKey(object))
  if (event.type === 'PackRetiring') for (const hash of event.chunks) segment.places.set(hash, 'gone')
  segment.size += event.chunks.length
}

const addFacts = (segment: Segment, { pack, retention, history, chunks }: Facts): void => {
  for (const { hash, offset, size } of pack?.entries ?? []) segment.places.set(hash, { pack: pack?.pack ?? '', offset, size })
  if (retention !== undefined) addRetention(segment, retention.event)
  if (chunks !== undefined) {
    const part = partOf(segment, chunks.folder)
    for (const { hash, size } of chunks.named) part.chunks.set(hash, size)
  }
  if (history !== undefined) addEvent(partOf(segment, history.folder), history)
  segment.size += (pack?.entries.length ?? 0) + (history === undefined ? 0 : 1) + (chunks?.named.length ?? 0)
}

const toldOf = (place: Place | 'gone' | undefined): boolean | undefined => (place === undefined ? undefined : place === 'gone')

export const createRecent = (): Recent => {
  let segments: Segment[] = []
  let trimmed = -1n
  const latest = (order: bigint): Segment => {
    const last = segments.at(-1)
    if (last !== undefined && last.size < SEGMENT_ROWS) return last
    const fresh = newSegment(order)
    segments.push(fresh)
    return fresh
  }
  /** The first answer of a segment, the newest asked first. */
  const first = <A>(ask: (segment: Segment) => A | undefined): A | undefined => {
    for (let at = segments.length - 1; at >= 0; at -= 1) {
      const segment = segments[at]
      const answer = segment === undefined ? undefined : ask(segment)
      if (answer !== undefined) return answer
    }
    return undefined
  }
  return {
    size: () => segments.reduce((sum, segment) => sum + segment.size, 0),
    add: (order, facts) => {
      // The tables may have been quicker.
      if (order <= trimmed) return
      const segment = latest(order)
      segment.order = order > segment.order ? order : segment.order
      for (const fact of facts) addFacts(segment, fact)
    },
    trim: (order) => {
      trimmed = order > trimmed ? order : trimmed
      segments = segments.filter((segment) => segment.order > order)
    },
    find: (hash) => first(({ places }) => places.get(hash)),
    isGone: (hash) => first(({ places }) => toldOf(places.get(hash))),
    isRetired: (object) => first(({ retired }) => retired.has(objectKey(object)) || undefined) ?? false,
    chunkSize: (folder, hash) => first(({ folders }) => folders.get(folder)?.chunks.get(hash)),
    versionAt: (folder, revision) => first(({ folders }) => folders.get(folder)?.versions.get(revision)),
    held: (folder, path, since, { kind, hash }) =>
      first(({ folders }) => {
        const events = folders.get(folder)?.events.get(path) ?? []
        return events.some(({ revision, content }) => revision >= since && content?.hash === hash && content.kind === kind) || undefined
      }) ?? false,
  }
}
