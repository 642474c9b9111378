import type { Chunk } from '../../domain/content.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { FileSystem } from '../../filesystem/port.ts'
import { holds, readFully, withFile } from './bytes.ts'
import { codeOf, diskErrorOf } from './errors.ts'
import { OWN, stagePath } from './own.ts'
import type { PieceSource, StageResult } from './port.ts'
import type { Session } from './session.ts'
import { blockedOwn, MISMATCH, STAGED } from './stage.ts'
import { createVisit, type Visit } from './visit.ts'

/** Reads a piece into `buffer`, which is of its size; whether it is the one that was asked for. */
const fillPiece = (fs: FileSystem, fd: number, offset: number, chunk: Chunk, buffer: Uint8Array): boolean =>
  readFully(fs, fd, buffer, offset) && holds(buffer, chunk)

const pieceOf = (visit: Visit, path: SyncPath, offset: number, chunk: Chunk, buffer: Uint8Array): Uint8Array | undefined => {
  const { fs } = visit.session
  const found = visit.find(path)
  if (found.tag !== 'found' || found.stat.kind !== 'file') return undefined
  try {
    return withFile(fs, path, 'r', (fd) => fillPiece(fs, fd, offset, chunk, buffer)) ? buffer : undefined
  } catch (error) {
    codeOf(error)
    return undefined
  }
}

/** One piece of a file, verified; undefined where the file no longer holds those bytes, or can't be read. */
export const readPiece = (session: Session, path: SyncPath, offset: number, chunk: Chunk): Uint8Array | undefined =>
  // Of its own memory, so that it can be handed to another thread.
  pieceOf(createVisit(session), path, offset, chunk, new Uint8Array(chunk.size))

const verified = (visit: Visit, chunk: Chunk, source: PieceSource): Uint8Array | undefined => {
  if (source.tag === 'bytes') return holds(source.bytes, chunk) ? source.bytes : undefined
  return pieceOf(visit, source.path, source.offset, chunk, visit.session.scratch(chunk.size).subarray(0, chunk.size))
}

const openOrCreate = (fs: FileSystem, path: string): number => {
  try {
    // A stage that a move linked is a visible file's inode too: writing into it would show there (I12).
    if (fs.lstat(path).nlink > 1) fs.unlink(path)
    else return fs.open(path, 'r+')
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
  try {
    return fs.open(path, 'wx')
  } catch (error) {
    // Another piece has just made it.
    if (codeOf(error) !== 'EEXIST') throw error
    return fs.open(path, 'r+')
  }
}

/**
 * Writes one piece into a staged file, once its hash is found right. Where that fails the stage stays: it holds other pieces, and one made
 * anew would look whole without them.
 */
export const stagePiece = (session: Session, stage: string, offset: number, chunk: Chunk, source: PieceSource): StageResult => {
  const { fs } = session
  const visit = createVisit(session)
  const error = blockedOwn(visit, OWN.stages)
  if (error !== undefined) return { tag: 'failed', error }
  const bytes = verified(visit, chunk, source)
  if (bytes === undefined) return MISMATCH
  const path = stagePath(stage)
  try {
    const fd = openOrCreate(fs, path)
    try {
      fs.write(fd, bytes, offset)
    } finally {
      fs.close(fd)
    }
    return STAGED
  } catch (error) {
    return { tag: 'failed', error: diskErrorOf(error) }
  }
}

/** Which of a content's chunks a staged file holds already. */
export const stagedPieces = (session: Session, stage: string, chunks: readonly Chunk[]): readonly boolean[] => {
  const { fs, scratch } = session
  if (blockedOwn(createVisit(session), OWN.stages) !== undefined) return chunks.map(() => false)
  const held: boolean[] = []
  try {
    withFile(fs, stagePath(stage), 'r', (fd) => {
      let offset = 0
      for (const chunk of chunks) {
        held.push(fillPiece(fs, fd, offset, chunk, scratch(chunk.size).subarray(0, chunk.size)))
        offset += chunk.size
      }
    })
  } catch (error) {
    codeOf(error)
  }
  return chunks.map((_, i) => held[i] ?? false)
}
