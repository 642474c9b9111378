import type { Change } from '../../domain/change.ts'
import { type Chunk, sameBytes } from '../../domain/content.ts'
import { ancestorsOf, depthOf, isUnder, type SyncPath } from '../../domain/path.ts'
import { plan } from '../../domain/plan/plan.ts'
import { MAX_CHANGES } from '../../protocol/messages.ts'
import { MAX_PAYLOAD } from '../../transport/port.ts'
import { INLINE_BYTES } from '../disk/port.ts'
import type { Node } from '../index/node.ts'
import type { FolderContext } from './context.ts'
import { announceHold, endRootApproval, holdsBelow, holdWaiting, isHeld, tooManyDeletions } from './holds.ts'

/** Changes for one message, and the small contents that travel inside it. */
export interface Gathered {
  readonly changes: readonly Change[]
  readonly contents: readonly { readonly chunk: Chunk; readonly bytes: Uint8Array }[]
}

/** Deletions wait until nothing has vanished for so long: what looks like a deletion may be half of a move, or the start of a mass deletion. */
const QUIET_MS = 100
const LONG_MS = 5_000
const LONGEST_MS = 60_000
const MAX_EVENT_BYTES = 400 * 1024

/** Control characters and the like take up to six bytes each. */
const jsonBytes = (text: string): number => Buffer.byteLength(JSON.stringify(text))

const sizeOf = (change: Change): number => {
  if (change.tag === 'hold' || change.tag === 'approve') return 1_000
  const manifest = 'content' in change ? change.content.manifest : undefined
  return (
    600 +
    2 * jsonBytes(change.path) +
    ('from' in change ? 2 * jsonBytes(change.from) : 0) +
    (manifest?.tag === 'chunks' ? manifest.chunks.length * 84 : 0)
  )
}

/** A file that vanished here with just this content, and that nobody else changed meanwhile: the new path is its new name. */
const movedFrom = (ctx: FolderContext, node: Node): Node | undefined => {
  const content = node.local?.content
  if (
    content === undefined ||
    content.kind !== 'file' ||
    content.size === 0 ||
    node.base !== undefined ||
    node.remote?.content !== undefined
  )
    return undefined
  return ctx.index.vanishedWith(content.hash, 16).find((gone) => {
    const free = !ctx.busy.has(gone.path) || ctx.queues.destructive.has(gone.path)
    return (
      free &&
      gone.base !== undefined &&
      gone.base.revision === gone.remote?.revision &&
      sameBytes(gone.base.content, content) &&
      !isHeld(ctx, gone.path)
    )
  })
}

const changeFor = (ctx: FolderContext, node: Node, anyVanished: boolean): Change | undefined => {
  const intent = plan(node)
  if (intent.tag !== 'publish') return undefined
  const { path } = node
  const gone = anyVanished && intent.action === 'create' ? movedFrom(ctx, node) : undefined
  if (gone?.base === undefined) return { tag: intent.action, path, content: intent.content, base: intent.base }
  ctx.queues.destructive.delete(gone.path)
  ctx.busy.add(gone.path)
  return { tag: 'move', from: gone.path, path, content: intent.content, base: gone.base.revision }
}

/** The log holds these bytes already, as far as this device knows: a rename, a copy, or new metadata sends none. */
const isKnown = (ctx: FolderContext, { local, base }: Node): boolean => {
  const content = local?.content
  if (content === undefined || content.size === 0) return true
  return (base !== undefined && sameBytes(base.content, content)) || ctx.index.knowsBytes(content.hash)
}

/** Reads small contents whose bytes are not kept any more, all at once: by path, those that are as the index says. */
const readAgain = async (ctx: FolderContext, paths: readonly SyncPath[]): Promise<Map<SyncPath, Uint8Array>> => {
  const read = new Map<SyncPath, Uint8Array>()
  for (const reading of await ctx.deps.disk.read(paths)) {
    if (reading.tag !== 'read' || reading.bytes === undefined) continue
    const content = ctx.index.get(reading.path).local?.content
    if (content !== undefined && sameBytes(reading.content, content)) read.set(reading.path, reading.bytes)
  }
  return read
}

/** Contents whose bytes are to be read before the message is made. They cost its payload as much as they will need. */
class Lacking {
  readonly paths: SyncPath[] = []
  #bytes = 0

  add(path: SyncPath, size: number): boolean {
    if (this.paths.length >= MAX_CHANGES || this.#bytes + size > MAX_PAYLOAD) return false
    this.#bytes += size
    this.paths.push(path)
    return true
  }
}

class Message {
  /** Whether a file has vanished here at all: only then can a new one be its new name. */
  readonly anyVanished: boolean
  readonly changes: Change[] = []
  readonly contents: { chunk: Chunk; bytes: Uint8Array }[] = []
  /** Something did not fit any more. */
  full = false
  #eventBytes = 0
  #payload = 0

  constructor(anyVanished: boolean) {
    this.anyVanished = anyVanished
  }

  /** False where it does not fit any more. */
  add(change: Change, bytes?: Uint8Array): boolean {
    const size = sizeOf(change)
    const payload = this.#payload + (bytes?.byteLength ?? 0)
    this.full ||= this.changes.length >= MAX_CHANGES || this.#eventBytes + size > MAX_EVENT_BYTES || payload > MAX_PAYLOAD
    if (this.full) return false
    this.changes.push(change)
    this.#eventBytes += size
    if (bytes === undefined || !('content' in change)) return true
    this.#payload += bytes.byteLength
    this.contents.push({ chunk: { hash: change.content.hash, size: change.content.size }, bytes })
    return true
  }
}

/** Collects what is to be published next: notices, then creations and edits (parents first), then, when all is quiet, deletions. */
export const gather = async (ctx: FolderContext): Promise<Gathered | undefined> => {
  const message = new Message(ctx.index.anyVanished())
  if (ctx.queues.destructive.size === 0) ctx.deletions.waitingSince = undefined
  else ctx.deletions.waitingSince ??= ctx.now
  for (const notice of ctx.notices.splice(0)) message.add(notice)
  const lacking = new Lacking()
  // In one transaction, since each question alone takes and returns the index's locks.
  ctx.index.atomically(() => {
    for (const path of parentsFirst(ctx.queues.publish)) if (addPublished(ctx, path, message, { lacking }) === 'full') break
  })
  if (lacking.paths.length > 0 && !message.full) await addRead(ctx, lacking.paths, message)
  if (ctx.stopped()) return undefined
  if (message.changes.length === 0 || hasWaitedLong(ctx)) await addDestructive(ctx, message)
  return message.changes.length === 0 ? undefined : message
}

/** All of a queue, a message's worth at a time in path order, folders before what is in them: a queue is never sorted whole for each message. */
function* parentsFirst(queue: ReadonlySet<SyncPath>): Generator<SyncPath> {
  const given = new Set<SyncPath>()
  let some: SyncPath[] = []
  for (const queued of queue) {
    for (const path of [...ancestorsOf(queued), queued]) {
      if (given.has(path) || !queue.has(path)) continue
      given.add(path)
      some.push(path)
    }
    if (some.length < MAX_CHANGES) continue
    yield* some.toSorted()
    some = []
  }
  yield* some.toSorted()
}

const addRead = async (ctx: FolderContext, paths: readonly SyncPath[], message: Message): Promise<'added' | 'full'> => {
  const bytes = await readAgain(ctx, paths)
  for (const path of paths) if (addPublished(ctx, path, message, { bytes: bytes.get(path) }) === 'full') return 'full'
  return 'added'
}

/** Where a small content's bytes come from if they are not kept: they are still to be read, or have been (undefined: the disk holds others by now). */
type Source = { readonly lacking: Lacking } | { readonly bytes: Uint8Array | undefined }

const addPublished = (ctx: FolderContext, path: SyncPath, message: Message, source: Source): 'added' | 'full' | 'skipped' => {
  const node = ctx.index.get(path)
  const content = node.local?.content
  const small = content === undefined || content.size <= INLINE_BYTES
  if (!small && !ctx.uploaded.has(content.hash) && plan(node).tag === 'publish') {
    ctx.queues.publish.delete(path)
    ctx.upload(path)
    return 'skipped'
  }
  const needed = small && content !== undefined && !isKnown(ctx, node)
  const kept = needed ? ctx.bytes.get(content.hash) : undefined
  if (needed && kept === undefined && 'lacking' in source) return source.lacking.add(path, content.size) ? 'skipped' : 'full'
  const bytes = needed && 'bytes' in source ? (kept ?? source.bytes) : kept
  const change = changeFor(ctx, node, message.anyVanished)
  if (change !== undefined && !message.add(change, bytes)) return putBack(ctx, change)
  ctx.queues.publish.delete(path)
  if (change !== undefined) return 'added'
  ctx.release(path)
  return 'skipped'
}

/** The message is full: the path stays in the queue, and a move's source goes back to where it was. */
const putBack = (ctx: FolderContext, change: Change): 'full' => {
  if (change.tag === 'move') ctx.queues.destructive.add(change.from)
  return 'full'
}

/** In a folder that never rests deletions go out all the same, in the end: sooner where no new file is found that may be the other half of a move. */
const hasWaitedLong = (ctx: FolderContext): boolean => {
  const waited = ctx.now - (ctx.deletions.waitingSince ?? ctx.now)
  return waited > LONGEST_MS || (waited > LONG_MS && !ctx.scanning && ctx.now - ctx.deletions.appearedAt > LONG_MS)
}

/** Nothing is under way that could show a deletion to be a move. */
const isResting = (ctx: FolderContext): boolean => {
  if (ctx.unfinished > 0 || ctx.queues.publish.size > 0 || ctx.uploading.size > 0) return false
  return !ctx.looks.dueNow && !ctx.looking && !ctx.scanning && ctx.reading.size === 0 && ctx.hot.size === 0 && ctx.sweep === undefined
}

const isQuiet = (ctx: FolderContext): boolean =>
  ctx.scanned && (hasWaitedLong(ctx) || (isResting(ctx) && ctx.now - ctx.deletions.vanishedAt >= QUIET_MS))

/** When deletions that wait may be looked at again; undefined where none wait. */
export const quietAt = (ctx: FolderContext): number | undefined =>
  ctx.queues.destructive.size === 0 ? undefined : Math.max(ctx.deletions.vanishedAt + QUIET_MS, ctx.now + 20)

const addDestructive = async (ctx: FolderContext, message: Message): Promise<void> => {
  const { destructive } = ctx.queues
  if (destructive.size === 0 && ctx.scanned && !ctx.scanWanted && isResting(ctx)) endRootApproval(ctx)
  if (destructive.size === 0 || !isQuiet(ctx)) return
  const reason = tooManyDeletions(ctx)
  // Many may be the sources of as many moves: only at rest can it be told.
  if (reason !== undefined && !isResting(ctx)) return
  if (reason !== undefined) hold(ctx, reason, message)
  // The deepest first: a folder goes after what it held.
  const paths = [...destructive].toSorted((a, b) => depthOf(b) - depthOf(a) || (a < b ? 1 : -1)).slice(0, MAX_CHANGES)
  const looks = await ctx.deps.disk.look(paths)
  const halves: SyncPath[] = []
  for (const look of looks) {
    if (mayBeMoved(ctx, look.path) || halves.some((path) => isUnder(path, look.path))) halves.push(look.path)
    else if (!(await addOneDestructive(ctx, look.path, look.tag === 'absent', message))) return
  }
}

const isUnsent = (ctx: FolderContext, node: Node): boolean =>
  node.base === undefined && node.remote?.content === undefined && !ctx.problems.blocks(node.path) && !ctx.isIgnored(node)

/** A new file that is still to be sent has just this content: the deletion is half of a move, and the folder that it was in waits with it. */
const mayBeMoved = (ctx: FolderContext, path: SyncPath): boolean => {
  const { local, base } = ctx.index.get(path)
  if (local !== undefined || base === undefined || base.content.size === 0) return false
  return ctx.index.filesWith(base.content.hash, 8).some((other) => isUnsent(ctx, other))
}

const addOneDestructive = async (ctx: FolderContext, path: SyncPath, absent: boolean, message: Message): Promise<boolean> => {
  const node = ctx.index.get(path)
  const intent = plan(node)
  if (intent.tag === 'publishDeletion' && absent) {
    if (!message.add({ tag: 'delete', path, base: intent.base })) return false
  } else if (intent.tag === 'publish') {
    const lacking = new Lacking()
    if (addPublished(ctx, path, message, { lacking }) === 'full') return false
    if (lacking.paths.length > 0 && (await addRead(ctx, lacking.paths, message)) === 'full') return false
  } else {
    // What is there after all is planned by what the look finds: planned at once, it would come straight back. Anything else has been seen already.
    if (intent.tag === 'publishDeletion') {
      ctx.busy.delete(path)
      ctx.look(path)
    } else ctx.release(path)
  }
  ctx.queues.destructive.delete(path)
  return true
}

/** Takes the deletions that a person must approve first out of the queue; the others go on. */
const hold = (ctx: FolderContext, reason: string, message: Message): void => {
  const news = holdWaiting(ctx)
  for (const path of [...ctx.queues.destructive]) {
    if (!isHeld(ctx, path) && !holdsBelow(ctx, path)) continue
    ctx.queues.destructive.delete(path)
    ctx.release(path)
  }
  if (news > 0) announceHold(ctx, reason)
  for (const notice of ctx.notices.splice(0)) message.add(notice)
}
