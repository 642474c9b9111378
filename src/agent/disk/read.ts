import { directoryContent, MAX_FILE_SIZE, type Chunk, type Content } from '../../domain/content.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { FileStat } from '../../filesystem/port.ts'
import { manifestOf } from '../../protocol/manifest.ts'
import { contentHash } from '../../protocol/merkle.ts'
import { chunksOfBytes, readFully, withFile } from './bytes.ts'
import { chunksOfFile, oneWindow, type Windows } from './file-chunks.ts'
import { codeOf, diskErrorOf, io } from './errors.ts'
import { INLINE_BYTES, type DiskError, type Reading } from './port.ts'
import type { Session } from './session.ts'
import { createSlab, type Slab } from './slab.ts'
import { sameStat, seenOf } from './stat.ts'
import { createVisit, type Visit } from './visit.ts'

/** A reading by any path, those under `.eventsync/` included. */
export type RawReading =
  | {
      readonly tag: 'read'
      readonly stat: FileStat
      readonly content: Content
      readonly chunks: readonly Chunk[]
      readonly bytes: Uint8Array | undefined
    }
  | { readonly tag: 'unstable' }
  | { readonly tag: 'absent' }
  | { readonly tag: 'failed'; readonly error: DiskError }

interface Bytes {
  readonly chunks: readonly Chunk[]
  readonly bytes: Uint8Array | undefined
}

const contentOf = (stat: FileStat, kind: 'file' | 'symlink', size: number, chunks: readonly Chunk[]): Content => ({
  kind,
  size,
  hash: contentHash(chunks),
  manifest: manifestOf(chunks).manifest,
  executable: seenOf(stat, kind).executable,
  modified: String(stat.mtimeNs),
})

/** How a large file is read that is read alone. */
export interface Alone {
  /** The chunks of a content that it may hold, or one much like it. */
  readonly like: readonly Chunk[]
  readonly windows?: Windows
}

/** What the files that one call reads share. */
interface Shared {
  readonly slab: Slab
  readonly alone: Alone | undefined
}

const bytesOf = ({ fs, scratch }: Session, fd: number, size: number, { slab, alone }: Shared): Bytes | undefined => {
  if (size > INLINE_BYTES) {
    const chunks = chunksOfFile(fs, fd, size, alone?.windows ?? oneWindow(size, scratch), alone?.like)
    return chunks && { chunks, bytes: undefined }
  }
  // Memory of this call alone, so that it can be handed to another thread.
  const bytes = slab.take(size)
  return readFully(fs, fd, bytes, 0) ? { chunks: chunksOfBytes(bytes), bytes } : undefined
}

/**
 * One reading holds one state of the file: the same inode by name and by descriptor, unchanged from before the first byte to after the
 * last.
 */
const readFile = (session: Session, path: string, before: FileStat, shared: Shared): RawReading => {
  const { fs } = session
  if (before.size > MAX_FILE_SIZE) return { tag: 'failed', error: io(`the file is over the limit of ${MAX_FILE_SIZE} bytes`) }
  return withFile(fs, path, 'r', (fd): RawReading => {
    if (!sameStat(before, fs.fstat(fd))) return { tag: 'unstable' }
    const read = bytesOf(session, fd, before.size, shared)
    // The inode is held open, so the same number is the same inode: by its name its stat tells whether anybody has written to it, too.
    if (read === undefined || !sameStat(before, fs.lstat(path))) return { tag: 'unstable' }
    return { tag: 'read', stat: before, content: contentOf(before, 'file', before.size, read.chunks), ...read }
  })
}

const readSymlink = (session: Session, path: string, before: FileStat): RawReading => {
  const bytes = new TextEncoder().encode(session.fs.readlink(path))
  if (!sameStat(before, session.fs.lstat(path))) return { tag: 'unstable' }
  const chunks = chunksOfBytes(bytes)
  return { tag: 'read', stat: before, content: contentOf(before, 'symlink', bytes.length, chunks), chunks, bytes }
}

/** Reads what a look found. */
export const readFound = (
  session: Session,
  path: string,
  stat: FileStat,
  shared: Shared = { slab: createSlab(), alone: undefined },
): RawReading => {
  try {
    if (stat.kind === 'file') return readFile(session, path, stat, shared)
    if (stat.kind === 'symlink') return readSymlink(session, path, stat)
    if (stat.kind === 'other') return { tag: 'failed', error: io('neither a file, a folder nor a symlink') }
    return { tag: 'read', stat, content: directoryContent(String(stat.mtimeNs)), chunks: [], bytes: undefined }
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT') return { tag: 'absent' }
    // It was a file a moment ago, and is a symlink, a folder or a FIFO now.
    if (['ELOOP', 'EMLINK', 'ENXIO', 'ENOTDIR', 'EISDIR'].includes(code) || (code === 'EINVAL' && stat.kind === 'symlink'))
      return { tag: 'unstable' }
    return { tag: 'failed', error: diskErrorOf(error) }
  }
}

/** A file too large to be read between quick looks: it is left for another worker. */
export interface Large {
  readonly tag: 'large'
  readonly path: SyncPath
}

const readOne = (visit: Visit, path: SyncPath, limit: number, shared: Shared): Reading | Large => {
  const found = visit.find(path)
  if (found.tag === 'failed') return { tag: 'failed', path, error: found.error }
  if (found.tag !== 'found') return { tag: 'absent', path }
  if (found.stat.kind === 'file' && found.stat.size > limit) return { tag: 'large', path }
  const reading = readFound(visit.session, path, found.stat, shared)
  if (reading.tag === 'failed') return { tag: 'failed', path, error: reading.error }
  if (reading.tag !== 'read') return { tag: reading.tag, path }
  const { stat, content, chunks, bytes } = reading
  return { tag: 'read', path, seen: seenOf(stat, content.kind), content, chunks, bytes }
}

/** As {@link read}, as far as `budget` bytes go. */
export const readWithin = (session: Session, paths: readonly SyncPath[], budget: number, alone?: Alone): readonly (Reading | Large)[] => {
  const visit = createVisit(session)
  const shared = { slab: createSlab(), alone }
  let left = budget
  const readings = paths.map((path) => {
    const reading = readOne(visit, path, left, shared)
    if (reading.tag === 'read') left -= reading.content.size
    return reading
  })
  const error = visit.lost()
  return error === undefined ? readings : paths.map((path) => ({ tag: 'failed', path, error }))
}

/** Reads and hashes each path, in order. In a folder that has lost its marker nothing is absent (I15). `like`: of one that is read alone. */
export const read = (session: Session, paths: readonly SyncPath[], like: readonly Chunk[] = []): readonly Reading[] =>
  readWithin(session, paths, Infinity, paths.length === 1 ? { like } : undefined).flatMap((reading) =>
    reading.tag === 'large' ? [] : [reading],
  )
