import { CHUNK_MIN, type Content, directoryContent, sameBytes, sameContent } from '../../domain/content.ts'
import { ancestorsOf, isUnder, nameOf, parentOf, type SyncPath } from '../../domain/path.ts'
import type { Look, Reading, Seen } from '../disk/port.ts'
import { IGNORE_FILE } from '../ignore-rules.ts'
import type { LocalNode } from '../index/node.ts'
import type { FolderContext } from './context.ts'
import { obstacleOf } from './problems.ts'

const SETTLE_MS = 2_000
const EMPTY_WAIT_MS = 50
const PAGE = 1_000
/** Names that editors and office programs give to files that live for a moment; people use such names too, so they only wait. */
const TEMPORARY = /^(?:\.#.*|#.*#|.*~|~\$.*|\.~lock\..*#|.*\.sw[a-z]|.*\.tmp|4913|\.goutputstream-.*|.*\.part|.*\.crdownload)$/u

export const sameSeen = (a: Seen, b: Seen): boolean =>
  a.kind === b.kind &&
  a.size === b.size &&
  a.mtime === b.mtime &&
  a.ctime === b.ctime &&
  a.inode === b.inode &&
  a.executable === b.executable

const ageMs = (ctx: FolderContext, ns: string): number => ctx.deps.clock.wall() - Number(BigInt(ns) / 1_000_000n)

/** Whether a change now would show in the times: later writes within one tick of the file system's clock would not. */
const isSettled = (ctx: FolderContext, seen: Seen): boolean => {
  const changed = ageMs(ctx, seen.ctime)
  const modified = ageMs(ctx, seen.mtime)
  return changed > SETTLE_MS && (modified > SETTLE_MS || modified < -SETTLE_MS)
}

export const localOf = (ctx: FolderContext, seen: Seen, content: LocalNode['content']): LocalNode => ({
  seen,
  content,
  settled: isSettled(ctx, seen),
})

/** A nanosecond within the microsecond, as `utimes` leaves behind where the file system keeps so much; no clock's tick that a write would leave is the same. */
const isFine = (mtime: string): boolean => BigInt(mtime) % 1_000n !== 0n

/**
 * What this device put in place itself, with a time that it set: any write since shows in the modification time, within one tick, too. So the hint
 * that comes of the placing does not have the file read again.
 */
export const placedOf = (ctx: FolderContext, seen: Seen, content: LocalNode['content']): LocalNode => {
  const local = localOf(ctx, seen, content)
  return seen.kind === 'file' && isFine(seen.mtime) ? { ...local, settled: true } : local
}

/** What follows from a look: files to read, directories to walk. */
export interface Found {
  /** How many groups of steps had been recorded before the look ({@link FolderContext.groupsApplied}). */
  readonly asOf: number
  readonly read: { readonly path: SyncPath; readonly size: number; readonly inode: string; readonly settled: boolean }[]
  readonly walk: Set<SyncPath>
}

/** Takes what a look or a listing showed into the local tree. */
export const noteLook = (ctx: FolderContext, look: Look, found: Found): void => {
  if (ctx.defers(look.path)) return
  if (found.asOf !== ctx.groupsApplied && speaksOfChange(ctx, look)) return ctx.look(look.path)
  if (look.tag === 'absent') return noteAbsent(ctx, look.path)
  // The place was told of as a whole.
  if (look.tag === 'unknown' && look.error.tag === 'Private' && ancestorsOf(look.path).some((above) => ctx.problems.has(above, 'disk')))
    return
  if (look.tag === 'unknown') return ctx.block(look.path, obstacleOf(look.error, 'disk'))
  if (look.tag === 'special') return ctx.block(look.path, { reason: look.reason, side: 'disk', permanent: true })
  if (ctx.ignore.ignores(look.path, look.seen.kind === 'directory')) return ctx.readable(look.path)
  if (look.seen.kind === 'directory') noteDirectory(ctx, look.path, look.seen, found)
  else noteFile(ctx, look.path, look.seen, found)
}

/** A listing showed a file or symlink just as it was last seen. */
export const noteSame = (ctx: FolderContext, path: SyncPath): void => {
  if (!ctx.defers(path)) ctx.readable(path)
}

/**
 * What a look shows to be gone, or to be a folder or none any more, counts as it is: from a look before a step of our own it would be a change that
 * nobody made (I3). Files are read first.
 */
const speaksOfChange = (ctx: FolderContext, look: Look): boolean =>
  look.tag === 'absent' ||
  (look.tag === 'seen' && (look.seen.kind === 'directory') !== (ctx.index.get(look.path).local?.content.kind === 'directory'))

const noteDirectory = (ctx: FolderContext, path: SyncPath, seen: Seen, found: Found): void => {
  const known = ctx.index.get(path).local
  if (known?.content.kind === 'directory') {
    // It could not be listed: that it is there is no news, what is in it would be.
    if (ctx.problems.has(path, 'disk')) found.walk.add(path)
    // Another directory stands here now: steps compare the inode, and what lies in it is news.
    if (known.seen.inode === seen.inode) return
    ctx.index.setLocal(path, { ...known, seen })
    ctx.plan(path)
    found.walk.add(path)
    return
  }
  ctx.unlooked.delete(path)
  ctx.index.setLocal(path, { seen, content: directoryContent(seen.mtime), settled: true })
  // A folder of that name has no rules, and ends those of the file that it replaced.
  if (nameOf(path) === IGNORE_FILE) noteRules(ctx, path, undefined)
  ctx.plan(path)
  found.walk.add(path)
}

const noteFile = (ctx: FolderContext, path: SyncPath, seen: Seen, found: Found): void => {
  const known = ctx.index.get(path).local
  if (known !== undefined && known.settled && sameSeen(known.seen, seen)) return ctx.readable(path)
  if (known?.content.kind === 'directory') forgetBelow(ctx, path)
  const limit = ctx.deps.settings.maxFileSize
  if (seen.size > limit)
    return ctx.block(path, { reason: `the file is larger than the limit of ${limit} bytes`, side: 'disk', permanent: true })
  const wait = waitFor(ctx, path, seen, known)
  if (wait > 0) return ctx.look(path, wait)
  found.read.push({ path, size: seen.size, inode: seen.inode, settled: isSettled(ctx, seen) })
}

const waitFor = (ctx: FolderContext, path: SyncPath, seen: Seen, known: LocalNode | undefined): number => {
  const age = ageMs(ctx, seen.ctime)
  if (age < 0) return 0
  if (seen.size === 0 && seen.kind === 'file' && known?.content.size !== 0) return EMPTY_WAIT_MS - age
  return known === undefined && TEMPORARY.test(nameOf(path)) ? SETTLE_MS - age : 0
}

/** The disk holds nothing at a path any more. */
export const noteAbsent = (ctx: FolderContext, path: SyncPath): void => {
  ctx.readable(path)
  const { local, base, remote } = ctx.index.get(path)
  if (remote?.before !== undefined) ctx.index.forgetBefore(path)
  if (local === undefined) {
    // A deletion that was put off because something lay here for a moment, or overtook what was on its way here.
    if (base !== undefined || remote?.before !== undefined) ctx.plan(path)
    return
  }
  if (local.content.kind === 'directory') forgetBelow(ctx, path)
  if (local.content.size > CHUNK_MIN) ctx.deletions.goneChunks.set(local.seen.inode, ctx.index.chunksOf(path))
  ctx.index.setLocal(path, undefined)
  ctx.vanished()
  if (nameOf(path) === IGNORE_FILE) noteRules(ctx, path, undefined)
  ctx.plan(path)
}

/** A directory is gone, and with it all that it held. */
export const forgetBelow = (ctx: FolderContext, directory: SyncPath): void => {
  for (const path of ctx.unrecorded) if (isUnder(path, directory)) ctx.applying.set(path, true)
  let after = ''
  for (;;) {
    const page = ctx.index.below(directory, after, PAGE)
    ctx.index.atomically(() => {
      for (const node of page) if (node.local !== undefined) noteAbsentNode(ctx, node.path)
    })
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE) return
    after = last.path
  }
}

const noteAbsentNode = (ctx: FolderContext, path: SyncPath): void => {
  ctx.index.setLocal(path, undefined)
  ctx.vanished()
  if (nameOf(path) === IGNORE_FILE) noteRules(ctx, path, undefined)
  ctx.plan(path)
}

/** A file system may keep times and the executable bit only roughly: where they are just as they were left, they are what they stand for, and no edit. */
const asPut = (local: LocalNode | undefined, { seen, content }: Extract<Reading, { tag: 'read' }>): Content => {
  if (local === undefined || local.seen.inode !== seen.inode || !sameBytes(local.content, content)) return content
  return {
    ...content,
    modified: local.seen.mtime === seen.mtime ? local.content.modified : content.modified,
    executable: local.seen.executable === seen.executable ? local.content.executable : content.executable,
  }
}

/** Takes a finished reading into the local tree. */
export const noteReading = (ctx: FolderContext, reading: Reading): void => {
  const { path } = reading
  if (reading.tag === 'failed') return ctx.block(path, obstacleOf(reading.error, 'disk'))
  if (reading.tag === 'absent') return ctx.look(path)
  if (reading.tag === 'unstable') {
    ctx.looks.sent(path, ctx.now)
    return ctx.look(path, 20)
  }
  if (reading.content.kind === 'directory') return noteFolderRead(ctx, path, reading.seen)
  ctx.readable(path)
  const { local, base } = ctx.index.get(path)
  const content = asPut(local, reading)
  if (local === undefined && base === undefined) ctx.deletions.appearedAt = ctx.now
  const same = local !== undefined && sameContent(local.content, content)
  const refused = same && local.refused !== undefined ? { refused: local.refused } : {}
  ctx.index.setLocal(path, { ...localOf(ctx, reading.seen, content), ...refused }, reading.chunks)
  if (nameOf(path) === IGNORE_FILE) noteRules(ctx, path, reading.content.kind === 'file' ? reading.bytes : undefined)
  if (base !== undefined && sameContent(base.content, content)) return ctx.plan(path)
  if (reading.bytes !== undefined) ctx.bytes.set(reading.content.hash, reading.bytes)
  ctx.plan(path)
}

/** It was a file when it was looked at, and is a folder now: what is in it is found by a walk. */
const noteFolderRead = (ctx: FolderContext, path: SyncPath, seen: Seen): void => {
  const found: Found = { asOf: ctx.groupsApplied, read: [], walk: new Set() }
  noteDirectory(ctx, path, seen, found)
  for (const directory of found.walk) ctx.rewalk.add(directory)
  ctx.wake.look.notify()
}

/** An ignore file was put in place or taken away by this device itself: its rules are read (or end). */
export const rulesMoved = (ctx: FolderContext, path: SyncPath): void => {
  if (nameOf(path) !== IGNORE_FILE) return
  const { local } = ctx.index.get(path)
  if (local?.content.kind !== 'file') return noteRules(ctx, path, undefined)
  ctx.index.setLocal(path, { ...local, settled: false })
  ctx.look(path)
}

/** An ignore file has changed: its rules count from now on, and what they no longer name is to be found. */
const noteRules = (ctx: FolderContext, path: SyncPath, bytes: Uint8Array | undefined): void => {
  const directory = parentOf(path) ?? ''
  const text = bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8')
  if (!ctx.ignore.set(directory, text)) return
  ctx.rulesChanged(directory)
}
