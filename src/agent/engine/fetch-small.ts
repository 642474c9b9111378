import { type Chunk, type Hash, sameBytes } from '../../domain/content.ts'
import { sha256 } from '../../protocol/hash.ts'
import type { StageLink } from '../disk/port.ts'
import type { LocalNode, Node } from '../index/node.ts'
import type { FolderContext } from './context.ts'
import { giveUp, isStaged, stageName, type Wanted } from './wanted.ts'
import { open, type Opened } from './open.ts'

const RETRY_MS = 300

/** The one chunk of a small content. */
const chunkOf = ({ version }: Wanted): Chunk => ({ hash: version.content.hash, size: version.content.size })

/** Whether a local file goes away with what is to come, so that its inode can simply be taken along (a move). */
export const isLeaving = (node: Node): boolean => node.base !== undefined && node.remote !== undefined && node.remote.content === undefined

interface Source extends Node {
  readonly local: LocalNode
}

/** A local file that holds the whole content already: one that is on its way out, if there is any. */
const sourceOf = (ctx: FolderContext, { path, version: { content } }: Wanted): Source | undefined => {
  const sources = ctx.index
    .filesWith(content.hash, 8)
    .flatMap((node) =>
      node.path !== path && node.local !== undefined && sameBytes(node.local.content, content) ? [{ ...node, local: node.local }] : [],
    )
  return sources.find(isLeaving) ?? sources[0]
}

const linkTo = (wanted: Wanted, { path, local }: Source): StageLink => ({
  stage: stageName(wanted),
  path,
  expect: local.seen,
  content: wanted.version.content,
})

/** Stages a version from a local file: linked where that is on its way out, copied otherwise. */
export const stageFromLocal = async (ctx: FolderContext, wanted: Wanted, stage: string): Promise<boolean> => {
  const source = sourceOf(ctx, wanted)
  if (source === undefined) return false
  if (!isLeaving(source)) return copyFrom(ctx, wanted, source, stage)
  const [linked] = await ctx.deps.disk.stageLinks([linkTo(wanted, source)])
  return linked?.tag === 'staged'
}

const copyFrom = async (ctx: FolderContext, { version: { content } }: Wanted, source: Source, stage: string): Promise<boolean> => {
  if (content.size > 4 * 1024 * 1024) return false
  const piece = await ctx.deps.disk.stagePiece(
    stage,
    0,
    { hash: content.hash, size: content.size },
    { tag: 'file', path: source.path, offset: 0 },
  )
  return piece.tag === 'staged' && (await ctx.deps.disk.finishStage(stage, content)).tag === 'staged'
}

const staged = (ctx: FolderContext, { path, version }: Wanted, stage: string, durable = false): void =>
  ctx.staged(path, { tag: 'place', version, stage, target: undefined, chunks: [], durable })

interface Found {
  readonly wanted: Wanted
  readonly source: Source
}

/** Those of a group whose bytes are in local files. */
const foundHere = (ctx: FolderContext, group: readonly Wanted[]): Found[] => {
  const here = ctx.index.hashesAmong(group.map(({ version }) => version.content.hash))
  if (here.size === 0) return []
  return ctx.index.atomically(() =>
    group.flatMap((wanted) => {
      const { kind, size, hash } = wanted.version.content
      const source = kind === 'file' && size > 0 && here.has(hash) ? sourceOf(ctx, wanted) : undefined
      return source === undefined ? [] : [{ wanted, source }]
    }),
  )
}

/** Brings a group of small versions: from local files where they are there already, the rest in one request. */
export const fetchSmall = async (ctx: FolderContext, group: readonly Wanted[]): Promise<void> => {
  const found = foundHere(ctx, group)
  const moved = found.filter(({ source }) => isLeaving(source))
  const copied = found.filter(({ source }) => !isLeaving(source))
  const done = new Map<Wanted, { readonly durable: boolean }>()
  await Promise.all([
    moved.length > 0 && stageMoved(ctx, moved, done),
    ...copied.map(async ({ wanted, source }) => {
      if (await copyFrom(ctx, wanted, source, stageName(wanted))) done.set(wanted, { durable: false })
    }),
  ])
  if (ctx.stopped()) return
  for (const [wanted, { durable }] of done) staged(ctx, wanted, stageName(wanted), durable)
  const remote = group.filter((wanted) => !done.has(wanted))
  if (remote.length > 0) await fetchRemote(ctx, remote)
}

/** What is in sync at its old name is durable (I17): under the new one it needs no other sync. */
const wasInSync = ({ wanted, source }: Found): boolean =>
  source.base !== undefined && sameBytes(source.base.content, wanted.version.content)

const stageMoved = async (ctx: FolderContext, moved: readonly Found[], done: Map<Wanted, { readonly durable: boolean }>): Promise<void> => {
  const results = await ctx.deps.disk.stageLinks(moved.map(({ wanted, source }) => linkTo(wanted, source)))
  for (const [at, found] of moved.entries()) if (results[at]?.tag === 'staged') done.set(found.wanted, { durable: wasInSync(found) })
}

const EMPTY = new Uint8Array(0)

/** Contents that came with the notification of their versions. */
const takeAlong = ({ told }: FolderContext, group: readonly Wanted[]): ReadonlyMap<Hash, Uint8Array> => {
  const along = new Map<Hash, Uint8Array>()
  for (const { version } of group) {
    const { hash } = version.content
    const bytes = told.get(hash)
    if (bytes !== undefined) along.set(hash, bytes)
  }
  for (const hash of along.keys()) told.delete(hash)
  return along
}

const fetchRemote = async (ctx: FolderContext, group: readonly Wanted[]): Promise<void> => {
  const along = takeAlong(ctx, group)
  const asked = group.filter(({ version: { content } }) => content.size > 0 && !along.has(content.hash))
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
    const bytes = size === 0 ? EMPTY : (along.get(hash) ?? opened.bytes.get(hash))
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
