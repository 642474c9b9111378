import { type Chunk, type Hash, sameBytes } from '../../domain/content.ts'
import { sha256 } from '../../protocol/hash.ts'
import type { Node } from '../index/node.ts'
import type { FolderContext } from './context.ts'
import { giveUp, isStaged, stageName, type Wanted } from './wanted.ts'
import { open, type Opened } from './open.ts'

const RETRY_MS = 300

/** The one chunk of a small content. */
const chunkOf = ({ version }: Wanted): Chunk => ({ hash: version.content.hash, size: version.content.size })

/** Whether a local file goes away with what is to come, so that its inode can simply be taken along (a move). */
export const isLeaving = (node: Node): boolean => node.base !== undefined && node.remote !== undefined && node.remote.content === undefined

/** A local file that holds the whole content already: linked where it is on its way out, copied otherwise. */
export const stageFromLocal = async (ctx: FolderContext, wanted: Wanted, stage: string): Promise<boolean> => {
  const { content } = wanted.version
  const sources = ctx.index
    .filesWith(content.hash, 8)
    .filter(({ path, local }) => path !== wanted.path && local !== undefined && sameBytes(local.content, content))
  const source = sources.find(isLeaving) ?? sources[0]
  if (source?.local === undefined) return false
  if (isLeaving(source)) return (await ctx.deps.disk.stageLink(stage, source.path, source.local.seen, content)).tag === 'staged'
  if (content.size > 4 * 1024 * 1024) return false
  const piece = await ctx.deps.disk.stagePiece(
    stage,
    0,
    { hash: content.hash, size: content.size },
    { tag: 'file', path: source.path, offset: 0 },
  )
  return piece.tag === 'staged' && (await ctx.deps.disk.finishStage(stage, content)).tag === 'staged'
}

const staged = (ctx: FolderContext, { path, version }: Wanted, stage: string): void =>
  ctx.staged(path, { tag: 'place', version, stage, target: undefined, chunks: [] })

/** Brings a group of small versions: from local files where they are there already, the rest in one request. */
export const fetchSmall = async (ctx: FolderContext, group: readonly Wanted[]): Promise<void> => {
  const here = ctx.index.hashesAmong(group.map(({ version }) => version.content.hash))
  const remote: Wanted[] = []
  await Promise.all(
    group.map(async (wanted) => {
      const { kind, size, hash } = wanted.version.content
      const stage = stageName(wanted)
      if (kind === 'file' && size > 0 && here.has(hash) && (await stageFromLocal(ctx, wanted, stage))) staged(ctx, wanted, stage)
      else remote.push(wanted)
    }),
  )
  if (ctx.stopped() || remote.length === 0) return
  await fetchRemote(ctx, remote)
}

const EMPTY = new Uint8Array(0)

const fetchRemote = async (ctx: FolderContext, group: readonly Wanted[]): Promise<void> => {
  const asked = group.filter(({ version }) => version.content.size > 0)
  const opened: Opened | undefined =
    asked.length === 0
      ? { bytes: new Map(), missing: new Set() }
      : await open(
          ctx,
          asked.map(({ version }) => ({ version: version.revision, chunks: [version.content.hash] })),
        )
  if (ctx.stopped()) return
  if (opened === undefined) return retryLater(ctx, group)
  const files: { wanted: Wanted; stage: string; bytes: Uint8Array }[] = []
  for (const wanted of group) {
    const { hash, size } = chunkOf(wanted)
    const bytes = size === 0 ? EMPTY : opened.bytes.get(hash)
    if (bytes === undefined) notCome(ctx, wanted, opened, hash)
    else if (wanted.version.content.kind === 'symlink') stageSymlink(ctx, wanted, bytes)
    else files.push({ wanted, stage: stageName(wanted), bytes })
  }
  if (files.length > 0) await stageFiles(ctx, files)
}

const stageFiles = async (ctx: FolderContext, files: readonly { wanted: Wanted; stage: string; bytes: Uint8Array }[]): Promise<void> => {
  const results = await ctx.deps.disk.stageFiles(
    files.map(({ wanted, stage, bytes }) => ({ stage, content: wanted.version.content, bytes })),
    true,
  )
  if (ctx.stopped()) return
  files.forEach(({ wanted, stage }, at) => {
    const result = results[at] ?? { tag: 'mismatch' as const }
    if (isStaged(ctx, wanted.path, result)) staged(ctx, wanted, stage)
  })
}

const stageSymlink = (ctx: FolderContext, { path, version }: Wanted, bytes: Uint8Array): void => {
  if (sha256(bytes) !== version.content.hash) return giveUp(ctx, path, { tag: 'Io', reason: 'the bytes that came do not match their hash' })
  ctx.staged(path, { tag: 'place', version, stage: undefined, target: Buffer.from(bytes).toString('utf8'), chunks: [] })
}

/** The answer had no room for it, or the gateway lacks it. */
const notCome = (ctx: FolderContext, { path, version }: Wanted, { missing }: Opened, hash: Hash): void => {
  if (missing.has(hash)) giveUp(ctx, path, { tag: 'Io', reason: 'the gateway does not have the content at present' })
  else {
    ctx.queues.fetch.set(path, version)
    ctx.wake.fetch.notify()
  }
}

/** No answer: the versions are planned again after a pause, and by then may be others. */
export const retryLater = async (ctx: FolderContext, group: readonly Wanted[]): Promise<void> => {
  await ctx.deps.clock.sleep(RETRY_MS * (0.5 + ctx.deps.random()), ctx.signal)
  for (const { path } of group) ctx.release(path)
}
