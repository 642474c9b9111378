import { either as E } from 'fp-ts'
import type { Chunk, Hash } from '../../domain/content.ts'
import { chunksMatch, decodeManifest } from '../../protocol/manifest.ts'
import { MAX_PAYLOAD } from '../../transport/port.ts'
import type { StageResult } from '../disk/port.ts'
import type { FolderContext } from './context.ts'
import { giveUp, isStaged, stageName, type Wanted } from './wanted.ts'
import { retryLater, stageFromLocal } from './fetch-small.ts'
import { open } from './open.ts'

const WINDOW = 4

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

const takeGroup = (pieces: Piece[]): Piece[] => {
  const group: Piece[] = []
  let bytes = 0
  for (let next = pieces[0]; next !== undefined; next = pieces[0]) {
    if (group.length > 0 && bytes + next.chunk.size > MAX_PAYLOAD) break
    pieces.shift()
    group.push(next)
    bytes += next.chunk.size
  }
  return group
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
  { version }: Wanted,
  stage: string,
  group: readonly Piece[],
  pieces: Piece[],
): Promise<Transfer> => {
  const hashes: readonly Hash[] = [...new Set(group.map(({ chunk }) => chunk.hash))]
  const opened = await open(ctx, [{ version: version.revision, chunks: hashes }])
  if (ctx.stopped()) return 'stopped'
  if (opened === undefined) return 'unreachable'
  for (const piece of group) {
    const bytes = opened.bytes.get(piece.chunk.hash)
    if (bytes === undefined && opened.missing.has(piece.chunk.hash)) return 'missing'
    if (bytes === undefined) pieces.push(piece)
    else {
      const result = await ctx.deps.disk.stagePiece(stage, piece.offset, piece.chunk, { tag: 'bytes', bytes })
      if (result.tag !== 'staged') return { unstaged: result }
    }
  }
  return 'done'
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
