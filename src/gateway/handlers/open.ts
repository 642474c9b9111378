import * as E from 'fp-ts/lib/Either.js'
import type { StoreError } from '../../blobstore/port.ts'
import type { Revision } from '../../domain/change.ts'
import type { Chunk, Content, Hash } from '../../domain/content.ts'
import { isLive } from '../../domain/decide/view.ts'
import type { FolderId } from '../../domain/events.ts'
import { isFileEvent } from '../../domain/tree.ts'
import type { ReadError } from '../../eventlog/port.ts'
import { decodeLogEvent } from '../../protocol/log-event.ts'
import { folderStream } from '../../protocol/streams.ts'
import { MAX_PAYLOAD } from '../../transport/port.ts'
import type { Core } from '../core.ts'
import { chunkSizesOf } from '../manifests.ts'
import { failed, refused } from '../refusals.ts'
import { noFolder, reply, type Context, type Reply, type Signed } from './context.ts'

/** Chunks of versions of a folder: only those that the named version is made of. As many as fit; the rest is asked for again. */
export const open = async (context: Context, { request, agent }: Signed<'Open'>): Promise<Reply> => {
  const foreign = noFolder(context, agent, request.folder)
  if (foreign !== undefined) return reply(foreign)
  const wanted = await wantedChunks(context.core, request.folder, request.files)
  if (E.isLeft(wanted))
    return reply(
      wanted.left === 'foreign' ? refused(404, 'notFound', 'there is no such version, or it has no such chunk') : failed(wanted.left),
    )
  const read = await readAll(context.core, wanted.right, request.unchecked)
  if (E.isLeft(read)) return reply(failed(read.left))
  const found = read.right.flatMap(({ chunk, bytes }) => (bytes === undefined ? [] : [{ chunk, bytes }]))
  const absent = read.right.flatMap(({ chunk, bytes }) => (bytes === undefined ? [chunk.hash] : []))
  const [only] = found
  return {
    answer: { tag: 'Opened', status: 200, chunks: found.map(({ chunk }) => chunk), missing: absent },
    payload: found.length === 1 && only !== undefined ? only.bytes : Buffer.concat(found.map(({ bytes }) => bytes)),
  }
}

type Files = Signed<'Open'>['request']['files']

/** The first of the chunks asked for that fit into one answer; a left where one is none of its version's. */
const wantedChunks = async (core: Core, folder: FolderId, files: Files): Promise<E.Either<ReadError | 'foreign', readonly Chunk[]>> => {
  const wanted = new Map<Hash, Chunk>()
  let bytes = 0
  let manifests = 0
  const standing = standingContents(core, folder, files)
  for (const [index, { version, chunks }] of files.entries()) {
    const content = await contentAt(core, standing[index], folder, version)
    if (E.isLeft(content)) return content
    if (content.right === undefined) return E.left('foreign')
    // Manifests are read whole: as many as an answer's bytes, or the first.
    manifests += content.right.manifest.tag === 'object' ? content.right.manifest.size : 0
    if (manifests > MAX_PAYLOAD && wanted.size > 0) break
    const sizeOf = await chunkSizesOf(content.right, core.manifests)
    for (const hash of chunks) {
      const size = sizeOf(hash)
      if (size === undefined) return E.left('foreign')
      if (wanted.has(hash)) continue
      bytes += size
      if (bytes > MAX_PAYLOAD) return E.right([...wanted.values()])
      wanted.set(hash, { hash, size })
    }
  }
  return E.right([...wanted.values()])
}

/** The contents of those versions that still stand. */
const standingContents = ({ state }: Core, folder: FolderId, files: Files): readonly (Content | undefined)[] =>
  state.together(() => {
    const tree = state.tree(folder)
    return files.map(({ version }) => tree.at(version).find(isLive)?.content)
  })

/** What the event at a revision put at its path: from the tree while it stands, from the log afterwards. */
export const contentAt = async (
  { log }: Pick<Core, 'log'>,
  standing: Content | undefined,
  folder: FolderId,
  version: Revision,
): Promise<E.Either<ReadError, Content | undefined>> => {
  if (standing !== undefined) return E.right(standing)
  const read = await log.read(folderStream(folder), version, 1)()
  if (E.isLeft(read)) return read
  const [event] = read.right
  const decoded = event === undefined ? undefined : decodeLogEvent(event.stream, event)
  if (decoded === undefined || E.isLeft(decoded) || decoded.right.of !== 'folder') return E.right(undefined)
  const change = decoded.right.event
  return E.right(isFileEvent(change) && change.type !== 'FileDeleted' ? change.content : undefined)
}

interface ReadChunk {
  readonly chunk: Chunk
  /** undefined: damaged or gone. */
  readonly bytes: Buffer | undefined
}

/** What does not look whole is read again, checked: if it is damaged, that must become known. */
const readOne = async ({ chunks }: Core, { hash, size }: Chunk, unchecked: boolean): Promise<E.Either<StoreError, Buffer>> => {
  const bytes = await chunks.read(hash, unchecked)
  return !unchecked || (E.isRight(bytes) && bytes.right.length === size) ? bytes : chunks.read(hash)
}

/** All at once: one answer's bytes are bounded, and small chunks that lie in one pack are read together. */
const readAll = async (core: Core, chunks: readonly Chunk[], unchecked: boolean): Promise<E.Either<StoreError, readonly ReadChunk[]>> => {
  const reads = await Promise.all(core.followed.together(() => chunks.map((chunk) => readOne(core, chunk, unchecked))))
  const read: ReadChunk[] = []
  for (const [index, bytes] of reads.entries()) {
    const chunk = chunks[index]
    if (chunk === undefined) continue
    if (E.isLeft(bytes) && bytes.left.tag !== 'NotFound' && bytes.left.tag !== 'Damaged') return bytes
    // A chunk whose size is another than its version says would shift all that follow it.
    read.push({ chunk, bytes: E.isRight(bytes) && bytes.right.length === chunk.size ? bytes.right : undefined })
  }
  return E.right(read)
}
