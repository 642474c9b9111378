import * as E from 'fp-ts/lib/Either.js'
import type { Chunk, Content, Hash } from '../../domain/content.ts'
import type { FileEvent, FolderId } from '../../domain/events.ts'
import { isFileEvent } from '../../domain/tree.ts'
import type { LogPosition, ReadError, RecordedEvent } from '../../eventlog/port.ts'
import type { LogDecoder, Stopped } from '../../projections/port.ts'
import type { Marks } from './marks.ts'
import type { RetentionPolicy } from './policy.ts'

/** What a run reads. */
export interface MarkSource {
  readonly decoder: LogDecoder
  /** At most `max` events of all streams after a position; none at the end. */
  readonly page: (after: LogPosition | 'start', max: number) => Promise<E.Either<ReadError, readonly RecordedEvent[]>>
  /** The chunks that a manifest object names; undefined where it is damaged or gone. */
  readonly manifest: (hash: Hash) => Promise<E.Either<ReadError, readonly Chunk[] | undefined>>
  /** Whether an earlier run has freed it. */
  readonly isGone: (hash: Hash) => boolean
}

/** Up to where the log was marked, and how many versions of files it tells of. */
export interface Marked {
  readonly position: LogPosition | 'start'
  readonly versions: number
  /** Those that no rule keeps. */
  readonly released: number
}

export type MarkError = ReadError | Stopped

interface FileAt {
  readonly folder: FolderId
  readonly event: FileEvent
  readonly revision: number
  readonly time: number
  readonly order: bigint
}

const PAGE = 4096

/**
 * Marks from the log which chunks are needed, in two passes: which version ended when, then what the versions that stay are made of. What the log
 * gains after the first pass stays whole.
 */
export const markFromLog = async (source: MarkSource, marks: Marks, policy: RetentionPolicy): Promise<E.Either<MarkError, Marked>> => {
  const first = await pages(source, 'start', async (files) => {
    marks.together(() => {
      for (const { folder, event, revision, time } of files) if (isAbout(policy, folder)) marks.see(folder, event, revision, time)
    })
    return E.right(undefined)
  })
  if (E.isLeft(first)) return first
  const seen = first.right === 'start' ? -1n : first.right.order
  let [versions, released] = [0, 0]
  const second = await pages(source, 'start', async (files) => {
    const kept = files.filter(
      (file) => file.order > seen || !isAbout(policy, file.folder) || marks.isKept(file.folder, file.event, file.revision),
    )
    const all = contentsOf(files).length
    versions += all
    released += all - contentsOf(kept).length
    return name(source, marks, kept)
  })
  return E.map((position: LogPosition | 'start'): Marked => ({ position, versions, released }))(second)
}

/** Marks what the log has gained since as needed, whatever the rule. */
export const markSince = async (
  source: MarkSource,
  marks: Marks,
  after: LogPosition | 'start',
): Promise<E.Either<MarkError, LogPosition | 'start'>> => pages(source, after, (files) => name(source, marks, files))

const isAbout = (policy: RetentionPolicy, folder: FolderId): boolean => policy.folder === null || policy.folder === folder

const contentOf = ({ event }: FileAt): Content | undefined => (event.type === 'FileDeleted' ? undefined : event.content)

const contentsOf = (files: readonly FileAt[]): readonly Content[] =>
  files.flatMap((file) => {
    const content = contentOf(file)
    return content === undefined ? [] : [content]
  })

/** A manifest that can't be read stops the run: what it names is unknown, and might be freed. */
const name = async (source: MarkSource, marks: Marks, files: readonly FileAt[]): Promise<E.Either<MarkError, undefined>> => {
  const named: Hash[][] = []
  for (const file of files) {
    const manifest = contentOf(file)?.manifest
    if (manifest === undefined) continue
    if (manifest.tag === 'chunks') {
      named.push(manifest.chunks.map(({ hash }) => hash))
      continue
    }
    const opened = await source.manifest(manifest.hash)
    if (E.isLeft(opened)) return opened
    if (opened.right === undefined && source.isGone(manifest.hash)) continue
    if (opened.right === undefined) return E.left({ tag: 'Stopped', reason: unreadable(file, manifest.hash) })
    named.push([manifest.hash, ...opened.right.map(({ hash }) => hash)])
  }
  marks.together(() => named.forEach((hashes) => marks.name(hashes)))
  return E.right(undefined)
}

const unreadable = ({ event, revision }: FileAt, hash: Hash): string =>
  `the chunk list ${hash} of version ${revision} of ${JSON.stringify(event.path)} cannot be read: nothing is freed before the store is repaired`

/** All of the log after a position, its file events page by page; gives the last position. */
const pages = async (
  source: MarkSource,
  after: LogPosition | 'start',
  take: (files: readonly FileAt[]) => Promise<E.Either<MarkError, undefined>>,
): Promise<E.Either<MarkError, LogPosition | 'start'>> => {
  for (let position = after; ;) {
    const page = await source.page(position, PAGE)
    if (E.isLeft(page)) return page
    const last = page.right.at(-1)
    if (last === undefined) return E.right(position)
    const files = filesOf(source, page.right)
    if (E.isLeft(files)) return files
    const taken = await take(files.right)
    if (E.isLeft(taken)) return taken
    position = last.position
  }
}

const filesOf = ({ decoder }: MarkSource, events: readonly RecordedEvent[]): E.Either<Stopped, readonly FileAt[]> => {
  const files: FileAt[] = []
  for (const recorded of events) {
    const decoded = decoder.decode(recorded)
    if (E.isLeft(decoded)) return decoded
    const { event, metadata } = decoded.right
    if (event.of !== 'folder' || !isFileEvent(event.event)) continue
    const { revision, position } = recorded
    files.push({ folder: event.folder, event: event.event, revision, time: metadata.time, order: position.order })
  }
  return E.right(files)
}
