import * as E from 'fp-ts/lib/Either.js'
import type { Chunk, Hash } from '../../domain/content.ts'
import type { SyncPath } from '../../domain/path.ts'
import { encodeManifest } from '../../protocol/manifest.ts'
import { MAX_HASHES } from '../../protocol/messages.ts'
import { MAX_PAYLOAD } from '../../transport/port.ts'
import { call, noteFailure } from './call.ts'
import type { FolderContext } from './context.ts'
import { takeGroup, WINDOW } from './take-group.ts'

const FILES_AT_ONCE = 32
const RETRY_MS = 500

/** One chunk of a local file, and where its bytes come from; a manifest object comes from memory. */
interface Piece {
  readonly chunk: Chunk
  readonly path: SyncPath
  readonly offset: number
  readonly bytes: Uint8Array | undefined
}

export type UploadOutcome = 'sent' | 'changed' | 'later'

/** All that a message about this path would name: its chunks, and its manifest object where it has one. */
export const piecesOf = (ctx: FolderContext, path: SyncPath): Piece[] => {
  const content = ctx.index.get(path).local?.content
  if (content === undefined || content.size === 0) return []
  const several = ctx.index.chunksOf(path)
  const chunks: readonly Chunk[] = several.length > 0 ? several : [{ hash: content.hash, size: content.size }]
  let offset = 0
  const pieces = chunks.map((chunk): Piece => {
    const piece = { chunk, path, offset, bytes: ctx.bytes.get(chunk.hash) }
    offset += chunk.size
    return piece
  })
  const { manifest } = content
  if (manifest.tag === 'object')
    pieces.push({ chunk: { hash: manifest.hash, size: manifest.size }, path, offset: 0, bytes: encodeManifest(chunks) })
  return pieces
}

const askMissing = async (ctx: FolderContext, hashes: readonly Hash[]): Promise<Set<Hash> | undefined> => {
  const missing = new Set<Hash>()
  for (let from = 0; from < hashes.length; from += MAX_HASHES) {
    const { agentKey: key, folder } = ctx.deps
    const reply = await call(ctx, { tag: 'Missing', key, folder, chunks: hashes.slice(from, from + MAX_HASHES) }, ['MissingChunks'])
    if (E.isLeft(reply)) {
      noteFailure(ctx, reply.left)
      return undefined
    }
    for (const hash of reply.right.answer.missing) missing.add(hash)
  }
  return missing
}

const sendGroup = async (ctx: FolderContext, group: readonly Piece[]): Promise<UploadOutcome> => {
  const bytes = await Promise.all(
    group.map(async ({ bytes: known, path, offset, chunk }) => known ?? ctx.deps.disk.readPiece(path, offset, chunk)),
  )
  const found = bytes.filter((piece) => piece !== undefined)
  if (found.length < bytes.length) return 'changed'
  const { agentKey: key, folder } = ctx.deps
  const payload = found.length === 1 && found[0] !== undefined ? found[0] : Buffer.concat(found)
  const reply = await call(ctx, { tag: 'Chunks', key, folder, chunks: group.map(({ chunk }) => chunk) }, ['Done'], payload)
  if (E.isRight(reply)) return 'sent'
  noteFailure(ctx, reply.left)
  return reply.left.tag === 'Refused' && reply.left.code === 'hash' ? 'changed' : 'later'
}

/** Sends the pieces, a few messages at a time; stops at the first that fails. */
const sendPieces = async (ctx: FolderContext, pieces: readonly Piece[]): Promise<UploadOutcome> => {
  const queue = [...pieces]
  let outcome: UploadOutcome = 'sent'
  const sender = async (): Promise<void> => {
    for (let group = takeGroup(queue); group.length > 0 && outcome === 'sent' && !ctx.stopped(); group = takeGroup(queue)) {
      const result = await sendGroup(ctx, group)
      if (result !== 'sent') outcome = result
    }
  }
  await Promise.all(Array.from({ length: WINDOW }, sender))
  return ctx.stopped() ? 'later' : outcome
}

/** Sends those of the paths' chunks that are among `wanted` (all that the gateway lacks where undefined). */
export const uploadPaths = async (ctx: FolderContext, paths: readonly SyncPath[], wanted?: ReadonlySet<Hash>): Promise<UploadOutcome> => {
  const pieces = new Map<Hash, Piece>()
  for (const path of paths) for (const piece of piecesOf(ctx, path)) pieces.set(piece.chunk.hash, piece)
  const missing = wanted ?? (await askMissing(ctx, [...pieces.keys()]))
  if (missing === undefined) return 'later'
  const toSend = [...pieces.values()].filter(({ chunk }) => missing.has(chunk.hash))
  if (wanted !== undefined && toSend.length < wanted.size) return 'changed'
  return sendPieces(ctx, toSend)
}

/** Brings large contents to the gateway before their messages, beside everything else, so that they hold up nothing. A cut transfer goes on where it was: only what is missing is sent. */
export const uploadLoop = async (ctx: FolderContext): Promise<void> => {
  while (!ctx.stopped()) {
    if (!ctx.connected || ctx.uploads.length === 0) {
      await ctx.wake.upload.wait(ctx.deps.clock, ctx.signal)
      continue
    }
    const paths = nextGroup(ctx)
    const outcome = await uploadPaths(ctx, paths)
    if (ctx.stopped()) return
    await settle(ctx, paths, outcome)
  }
}

/** Several middling files together, or one large one alone. */
const nextGroup = (ctx: FolderContext): SyncPath[] => {
  const group: SyncPath[] = []
  let bytes = 0
  while (group.length < FILES_AT_ONCE && bytes < 2 * MAX_PAYLOAD) {
    const path = ctx.uploads.shift()
    if (path === undefined) break
    group.push(path)
    bytes += ctx.index.get(path).local?.content.size ?? 0
  }
  return group
}

const settle = async (ctx: FolderContext, paths: readonly SyncPath[], outcome: UploadOutcome): Promise<void> => {
  if (outcome === 'later') {
    ctx.uploads.unshift(...paths)
    return ctx.deps.clock.sleep(RETRY_MS, ctx.signal)
  }
  for (const path of paths) {
    ctx.uploading.delete(path)
    const content = ctx.index.get(path).local?.content
    if (outcome === 'sent' && content !== undefined) ctx.uploaded.add(content.hash)
    else {
      // A piece is not what it was when it was hashed: the file is being written.
      ctx.looks.sent(path, ctx.now)
      ctx.look(path)
    }
    // Planned again: meanwhile it may have become something else, or wait for deletions.
    ctx.release(path)
  }
}
