import * as E from 'fp-ts/lib/Either.js'
import type { Chunk, Hash } from '../../domain/content.ts'
import { chunksMatch, decodeManifest } from '../../protocol/manifest.ts'
import type { StageResult } from '../disk/port.ts'
import type { FolderContext } from './context.ts'
import { giveUp, isStaged, stageName, type Wanted } from './wanted.ts'
import { retryLater, stageFromLocal } from './fetch-small.ts'
import { open, type Opened } from './open.ts'
import { takeGroup, WINDOW } from './take-group.ts'

interface Piece {
  readonly chunk: Chunk
  readonly offset: number
}

/** The whole chunk list: in the version itself, or in its manifest object; undefined where it could not be had (the path has been dealt with). */
const chunksOf = async (ctx: FolderContext, wanted: Wanted): Promise<readonly Chunk[] | undefined> => {
  const { content, revision } = wanted.version
  if (content.manifest.tag === 'chunks') return trueTo(ctx, wanted, content.manifest.chunks)
  const { hash } = content.manifest
  const opened = await open(ctx, [{ version: revision, chunks: [hash] }])
  if (opened === undefined) {
    await retryLater(ctx, [wanted])
    return undefined
  }
  const chunks = decodeManifest(opened.bytes.get(hash) ?? new Uint8Array(1))
  if (E.isRight(chunks)) return trueTo(ctx, wanted, chunks.right)
  giveUp(ctx, wanted.path, { tag: 'Io', reason: "the gateway does not have the content's manifest at present" })
  return undefined
}

/** Chunks that make another content than the version says would be put in place as an edit of nobody's. */
const trueTo = (ctx: FolderContext, { path, version }: Wanted, chunks: readonly Chunk[]): readonly Chunk[] | undefined => {
  if (chunksMatch(version.content, chunks)) return chunks
  giveUp(ctx, path, { tag: 'Io', reason: 'what the gateway says of the content is not true of its chunks' })
  return undefined
}

const piecesOf = (chunks: readonly Chunk[]): Piece[] => {
  let offset = 0
  return chunks.map((chunk) => {
    const piece = { chunk, offset }
    offset += chunk.size
    return piece
  })
}

/** What is on this disk already is not asked for: the stage itself after a cut, and any local file that holds the chunk. */
const stageLocalPieces = async (ctx: FolderContext, stage: string, pieces: readonly Piece[]): Promise<Piece[]> => {
  const have = await ctx.deps.disk.stagedPieces(
    stage,
    pieces.map(({ chunk }) => chunk),
  )
  const left: Piece[] = []
  for (const [at, piece] of pieces.entries()) {
    if (ctx.stopped()) return left
    if (have[at] === true) continue
    if (!(await stageLocalPiece(ctx, stage, piece))) left.push(piece)
  }
  return left
}

const stageLocalPiece = async (ctx: FolderContext, stage: string, { chunk, offset }: Piece): Promise<boolean> => {
  for (const place of ctx.index.placesOf(chunk.hash, 4)) {
    const result = await ctx.deps.disk.stagePiece(stage, offset, chunk, { tag: 'file', path: place.path, offset: place.offset })
    if (result.tag === 'staged') return true
  }
  return false
}

type Transfer = 'done' | 'unreachable' | 'missing' | 'stopped' | { readonly unstaged: StageResult }

/**
 * Fetches pieces, a few requests at a time; those that did not fit into an answer are asked for again. Ends when none of them is under way any more: the path
 * may be planned again then, and nothing may be written into a stage that somebody else finishes.
 */
const transfer = async (ctx: FolderContext, wanted: Wanted, stage: string, pieces: Piece[]): Promise<Transfer> => {
  let state: Transfer = 'done'
  const worker = async (): Promise<void> => {
    for (let group = takeGroup(pieces); group.length > 0 && state === 'done'; group = takeGroup(pieces)) {
      const result = await fetchGroup(ctx, wanted, stage, group, pieces)
      if (result !== 'done') state = result
    }
  }
  await Promise.all(Array.from({ length: WINDOW }, worker))
  return ctx.stopped() ? 'stopped' : state
}

const fetchGroup = async (
  ctx: FolderContext,
  wanted: Wanted,
  stage: string,
  group: readonly Piece[],
  pieces: Piece[],
): Promise<Transfer> => {
  const opened = await openPieces(ctx, wanted, group, true)
  if (ctx.stopped()) return 'stopped'
  if (opened === undefined) return 'unreachable'
  for (const piece of group) {
    const result = await stageOpened(ctx, stage, piece, opened, group.length === 1)
    if (result === 'mismatch') return checkAgain(ctx, wanted, stage, piece)
    if (result === 'later') pieces.push(piece)
    else if (result !== 'done') return result
  }
  return 'done'
}

const openPieces = (ctx: FolderContext, { version }: Wanted, group: readonly Piece[], unchecked: boolean): Promise<Opened | undefined> => {
  const chunks: readonly Hash[] = [...new Set(group.map(({ chunk }) => chunk.hash))]
  return open(ctx, [{ version: version.revision, chunks }], unchecked)
}

/** `later`: it did not fit into the answer. */
const stageOpened = async (
  ctx: FolderContext,
  stage: string,
  { chunk, offset }: Piece,
  opened: Opened,
  given: boolean,
): Promise<Transfer | 'later' | 'mismatch'> => {
  const bytes = opened.bytes.get(chunk.hash)
  if (bytes === undefined) return opened.missing.has(chunk.hash) ? 'missing' : 'later'
  const result = await ctx.deps.disk.stagePiece(stage, offset, chunk, { tag: 'bytes', bytes, given })
  if (result.tag === 'staged') return 'done'
  return result.tag === 'mismatch' ? 'mismatch' : { unstaged: result }
}

/** A chunk came with another hash: the gateway, which sent it as it was stored, finds out whether it is damaged there. */
const checkAgain = async (ctx: FolderContext, wanted: Wanted, stage: string, piece: Piece): Promise<Transfer> => {
  const opened = await openPieces(ctx, wanted, [piece], false)
  if (ctx.stopped()) return 'stopped'
  if (opened === undefined) return 'unreachable'
  const result = await stageOpened(ctx, stage, piece, opened, true)
  return result === 'mismatch' || result === 'later' ? { unstaged: { tag: 'mismatch' } } : result
}

/** Brings one large version into the stage, piece by piece; what arrived stays there when the transfer is cut. */
export const fetchLarge = async (ctx: FolderContext, wanted: Wanted): Promise<void> => {
  const stage = stageName(wanted)
  const chunks = await chunksOf(ctx, wanted)
  if (chunks === undefined || ctx.stopped()) return
  const { path, version } = wanted
  if (await stageFromLocal(ctx, wanted, stage)) return ctx.staged(path, { tag: 'place', version, stage, target: undefined, chunks })
  const left = await stageLocalPieces(ctx, stage, piecesOf(chunks))
  const outcome = await transfer(ctx, wanted, stage, left)
  if (outcome === 'stopped') return
  if (typeof outcome === 'object') return void isStaged(ctx, path, outcome.unstaged)
  if (outcome === 'unreachable') return retryLater(ctx, [wanted])
  if (outcome === 'missing') return giveUp(ctx, path, { tag: 'Io', reason: 'the gateway does not have all of the content at present' })
  if (isStaged(ctx, path, await ctx.deps.disk.finishStage(stage, version.content)))
    ctx.staged(path, { tag: 'place', version, stage, target: undefined, chunks })
}
