import type * as TE from 'fp-ts/lib/TaskEither.js'
import * as E from 'fp-ts/lib/Either.js'
import type { Revision } from '../domain/change.ts'
import type { Chunk, Content, Hash } from '../domain/content.ts'
import type { FolderId } from '../domain/events.ts'
import type { Released } from '../domain/history.ts'
import { isFileEvent } from '../domain/tree.ts'
import type { EventReader } from '../eventlog/port.ts'
import type { HistoryError } from '../projections/history/port.ts'
import { chunksMatch, decodeManifest } from '../protocol/manifest.ts'
import { sha256 } from '../protocol/hash.ts'
import { decodeLogEvent, eventErrorText } from '../protocol/log-event.ts'
import { folderStream } from '../protocol/streams.ts'

/** Why a version's content can't be had. */
export type ContentError =
  | HistoryError
  /** Its bytes are not there, or not what they should be; `released`: when retention let them go (milliseconds), where it did. */
  | { readonly tag: 'Gone'; readonly reason: string; readonly released: number | undefined }

/** The chunks that versions are made of: straight from the store, or through a gateway. Any number of reads may be under way. */
export interface Contents {
  /** One chunk that the version names. A manifest object is read as the chunk that it is. */
  chunk(folder: FolderId, version: Revision, chunk: Chunk): TE.TaskEither<ContentError, Uint8Array>
  /** Those of the versions that have lost their content to retention, and when. */
  released(folder: FolderId, versions: readonly Revision[]): TE.TaskEither<HistoryError, readonly Released[]>
}

/** What the event at a revision put at its path, from the log itself; undefined: nothing. */
export const contentOf = async (
  log: Pick<EventReader, 'read'>,
  folder: FolderId,
  version: Revision,
): Promise<E.Either<HistoryError, Content | undefined>> => {
  const read = await log.read(folderStream(folder), version, 1)()
  if (E.isLeft(read)) return read
  const [event] = read.right
  if (event === undefined) return E.right(undefined)
  const decoded = decodeLogEvent(event.stream, event)
  if (E.isLeft(decoded)) return E.left({ tag: 'Unavailable', reason: eventErrorText(decoded.left, event.stream, event.revision) })
  if (decoded.right.of !== 'folder') return E.right(undefined)
  const change = decoded.right.event
  return E.right(isFileEvent(change) && change.type !== 'FileDeleted' ? change.content : undefined)
}

const gone = (reason: string): E.Either<ContentError, never> => E.left({ tag: 'Gone', reason, released: undefined })

const readChunk = async (
  contents: Contents,
  folder: FolderId,
  version: Revision,
  chunk: Chunk,
): Promise<E.Either<ContentError, Uint8Array>> => {
  const read = await contents.chunk(folder, version, chunk)()
  if (E.isLeft(read)) return read
  return read.right.length === chunk.size && sha256(read.right) === chunk.hash ? read : gone(`the chunk ${chunk.hash} is damaged`)
}

/** The chunks of a content in their order, out of its manifest object where it has one. */
export const chunksOf = async (
  contents: Contents,
  folder: FolderId,
  version: Revision,
  content: Content,
): Promise<E.Either<ContentError, readonly Chunk[]>> => {
  const { manifest } = content
  if (manifest.tag === 'chunks') return E.right(manifest.chunks)
  const { hash, size }: { readonly hash: Hash; readonly size: number } = manifest
  const object = await readChunk(contents, folder, version, { hash, size })
  if (E.isLeft(object)) return object
  const chunks = decodeManifest(object.right)
  if (E.isLeft(chunks) || !chunksMatch(content, chunks.right)) return gone(`the manifest ${hash} is not that of its content`)
  return chunks
}

/** The bytes of a version, chunk by chunk, each checked against its hash: memory holds one (I16). A left is the last. */
export async function* contentBytes(
  contents: Contents,
  folder: FolderId,
  version: Revision,
  content: Content,
): AsyncGenerator<E.Either<ContentError, Uint8Array>, void> {
  const chunks = await chunksOf(contents, folder, version, content)
  if (E.isLeft(chunks)) {
    yield chunks
    return
  }
  for (const chunk of chunks.right) {
    const bytes = await readChunk(contents, folder, version, chunk)
    yield bytes
    if (E.isLeft(bytes)) return
  }
}
