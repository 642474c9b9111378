import { nameOf, type SyncPath } from '../../domain/path.ts'
import type { Listing, Look } from '../disk/port.ts'
import { IGNORE_FILE } from '../ignore-rules.ts'
import { isStillAs } from '../index/codec.ts'
import type { FolderContext } from './context.ts'
import { type Found, noteAbsent, noteLook, noteSame } from './local-tree.ts'
import { obstacleOf } from './problems.ts'
import type { FileReader } from './reader.ts'
import { rootIsHere } from './root.ts'

const DIRECTORIES_AT_ONCE = 16
const LOOKS_AT_ONCE = 256

/** The ignore file of a listed directory counts before anything else in it is looked at. */
const readRulesFirst = async (ctx: FolderContext, reader: FileReader, listing: Listing, asOf: number): Promise<void> => {
  if (listing.result.tag !== 'listed') return
  const found: Found = { asOf, read: [], walk: new Set() }
  for (const entry of listing.result.entries) if (nameOf(entry.path) === IGNORE_FILE) noteLook(ctx, entry, found)
  if (found.read.length > 0) await reader.read(found.read)
  ctx.rewalk.delete(listing.directory)
}

/** Compares one listing with the index; what can't be listed whole is unknown, not empty: nothing under it changes. */
const noteListing = (ctx: FolderContext, listing: Listing, found: Found, vanished: SyncPath[], walked: 'all' | 'new' = 'all'): void => {
  const { directory, result } = listing
  if (result.tag === 'unknown') {
    if (directory !== '') ctx.block(directory, obstacleOf(result.error, 'disk'))
    return
  }
  if (result.tag === 'absent') {
    if (directory !== '') vanished.push(directory)
    return
  }
  if (directory !== '') ctx.readable(directory)
  const known = ctx.index.locals(directory)
  for (const entry of result.entries) {
    const stored = known.get(entry.path)
    known.delete(entry.path)
    if (entry.tag === 'seen' && stored !== undefined && entry.seen.kind !== 'directory' && isStillAs(stored, entry.seen)) {
      noteSame(ctx, entry.path)
      continue
    }
    noteLook(ctx, entry, found)
    if (walked === 'all' && entry.tag === 'seen' && entry.seen.kind === 'directory' && !ctx.ignore.ignores(entry.path, true))
      found.walk.add(entry.path)
  }
  for (const path of known.keys()) vanished.push(path)
  for (const raw of result.unnameable) ctx.unnameable(directory, raw)
}

/** Absences count only while the root is the folder that was synced (I15). */
const noteVanished = async (ctx: FolderContext, vanished: readonly SyncPath[]): Promise<void> => {
  const known = vanished.filter((path) => {
    if (ctx.defers(path)) return false
    const node = ctx.index.get(path)
    // With nothing here before, either: a deletion that was put off for what lay here for a moment is planned again.
    const isNews = node.local !== undefined || node.base !== undefined || node.remote?.before !== undefined
    return ctx.problems.has(path, 'disk') || (isNews && !ctx.isIgnored(node))
  })
  if (known.length === 0 || !(await rootIsHere(ctx))) return
  const gone = await stillAbsent(ctx, known)
  ctx.index.note(() => {
    for (const path of gone) noteAbsent(ctx, path)
  })
}

/**
 * Which paths are absent by a look that no step of our own came between: a listing from before a file was put in place does not hold it, and
 * its absence would be a deletion of what has just arrived (I3).
 */
const stillAbsent = async (ctx: FolderContext, paths: readonly SyncPath[]): Promise<SyncPath[]> => {
  for (;;) {
    const before = ctx.groupsApplied
    const looks = await ctx.deps.disk.look(paths)
    if (ctx.stopped()) return []
    if (ctx.groupsApplied !== before) continue
    for (const look of looks) if (look.tag !== 'absent') ctx.look(look.path)
    return looks.flatMap((look) => (look.tag === 'absent' && !ctx.defers(look.path) ? [look.path] : []))
  }
}

/** The longest wait for one message to make room: whatever holds it up must not hold up the scan. */
const ROOM_MS = 500

/** A scan reads on when what it has read is on its way: each file is read once, and reading and sending go hand in hand. */
const room = async (ctx: FolderContext): Promise<void> => {
  const isSending = (): boolean =>
    ctx.connected && ctx.caughtUp && ctx.rootLost === undefined && ctx.queues.publish.size > 0 && !ctx.stopped()
  let least = ctx.bytes.total
  let since = ctx.now
  while (ctx.bytes.isAmple && isSending() && ctx.now - since < ROOM_MS) {
    await ctx.wake.room.wait(ctx.deps.clock, ctx.signal, ROOM_MS)
    if (ctx.bytes.total >= least) continue
    least = ctx.bytes.total
    since = ctx.now
  }
}

/** Walks directories and all below them, comparing what is there with the index; false where the root is lost or can't be listed. */
export const walk = async (ctx: FolderContext, reader: FileReader, from: readonly (SyncPath | '')[]): Promise<boolean> => {
  const waiting: (SyncPath | '')[] = [...from]
  while (waiting.length > 0 && !ctx.stopped() && ctx.rootLost === undefined) {
    await room(ctx)
    const asOf = ctx.groupsApplied
    const listings = await ctx.deps.disk.list(waiting.splice(-DIRECTORIES_AT_ONCE))
    if (listings.some(({ result }) => result.tag === 'unknown') && !(await rootIsHere(ctx))) return false
    if (listings.some(({ directory, result }) => directory === '' && result.tag === 'unknown')) return rootUnlisted(ctx, listings)
    for (const listing of listings) await readRulesFirst(ctx, reader, listing, asOf)
    const found: Found = { asOf, read: [], walk: new Set() }
    const vanished: SyncPath[] = []
    ctx.index.note(() => {
      for (const listing of listings) noteListing(ctx, listing, found, vanished)
    })
    for (const directory of found.walk) waiting.push(directory)
    await noteVanished(ctx, vanished)
    await reader.read(found.read)
  }
  return ctx.rootLost === undefined
}

const rootUnlisted = (ctx: FolderContext, listings: readonly Listing[]): false => {
  for (const { directory, result } of listings) if (directory === '' && result.tag === 'unknown') ctx.lastError = result.error.reason
  return false
}

/** A hint at a folder may mean what is directly in it; in one that is new, everything is looked at. */
const isKnownFolder = (ctx: FolderContext, look: Look): boolean =>
  look.tag === 'seen' &&
  look.seen.kind === 'directory' &&
  ctx.index.get(look.path).local?.content.kind === 'directory' &&
  !ctx.ignore.ignores(look.path, true)

/** Looks at paths that hints named, and walks the directories that turn out to be new. */
export const lookAt = async (ctx: FolderContext, reader: FileReader, hinted: readonly SyncPath[]): Promise<void> => {
  const paths = hinted.filter((path) => !ctx.defers(path))
  if (paths.length === 0) return
  const asOf = ctx.groupsApplied
  const looks = await ctx.deps.disk.look(paths)
  // Without its marker the folder shows nothing: that is one fact about the root, not a problem of each path.
  if (looks.some(({ tag }) => tag === 'unknown') && !(await rootIsHere(ctx))) return
  const known = looks.flatMap((look) => (isKnownFolder(ctx, look) ? [look.path] : []))
  const listings = known.length === 0 ? [] : await ctx.deps.disk.list(known)
  const found: Found = { asOf, read: [], walk: new Set() }
  const vanished: SyncPath[] = []
  ctx.index.note(() => {
    for (const look of looks) {
      if (look.tag === 'absent') vanished.push(look.path)
      else noteLook(ctx, look, found)
    }
    for (const listing of listings) noteListing(ctx, listing, found, vanished, 'new')
  })
  await noteVanished(ctx, vanished)
  if (found.walk.size > 0) await walk(ctx, reader, [...found.walk])
  await reader.read(found.read)
}

/** So long the first scan waits for the watch, which sees what changes behind it: a folder that can be watched is scanned once at a start, not twice. */
const WATCH_MS = 10_000

/** After so many hints that each followed a look within BURST_MS, more are to be expected: they gather, since every look has a transaction of its own. */
const BURST = 4
const BURST_MS = 5
const GATHER_MS = 2

/** Takes what hints have gathered, again and again; scans everything at the start, periodically, and when hints were lost. */
export const lookLoop = async (ctx: FolderContext, reader: FileReader): Promise<void> => {
  const watchedBy = ctx.now + WATCH_MS
  let [lookedAt, quick] = [-Infinity, 0]
  while (!ctx.stopped()) {
    const mayScan = ctx.watched || ctx.now >= watchedBy
    if (mayScan && (ctx.scanWanted || ctx.looks.takeOverflow())) await scanAll(ctx, reader)
    const paths = ctx.rootLost === undefined ? ctx.looks.take(ctx.now, LOOKS_AT_ONCE) : []
    if (paths.length > 0 || (ctx.rewalk.size > 0 && ctx.rootLost === undefined)) {
      await lookAndRewalk(ctx, reader, paths)
      lookedAt = ctx.now
      continue
    }
    const nextLook = ctx.rootLost === undefined ? ctx.looks.next() : undefined
    const next = Math.min(nextLook ?? Infinity, mayScan ? ctx.nextScan : watchedBy)
    await ctx.wake.look.wait(ctx.deps.clock, ctx.signal, Math.max(0, next - ctx.now))
    if (ctx.now >= ctx.nextScan) ctx.scanWanted = true
    quick = ctx.now - lookedAt < BURST_MS ? quick + 1 : 0
    if (quick >= BURST) await ctx.deps.clock.sleep(GATHER_MS, ctx.signal)
  }
}

const lookAndRewalk = async (ctx: FolderContext, reader: FileReader, paths: readonly SyncPath[]): Promise<void> => {
  ctx.looking = true
  await lookAt(ctx, reader, paths)
  await walkAgain(ctx, reader)
  ctx.looking = false
  ctx.wake.publish.notify()
  ctx.wake.settled.notify()
}

/** Finds what new ignore rules no longer name. */
const walkAgain = async (ctx: FolderContext, reader: FileReader): Promise<void> => {
  const changed = [...ctx.rewalk]
  ctx.rewalk.clear()
  if (changed.length > 0) await walk(ctx, reader, changed)
}

const scanAll = async (ctx: FolderContext, reader: FileReader): Promise<void> => {
  ctx.scanWanted = false
  ctx.scanning = true
  ctx.unnamed.clear()
  const whole = (await rootIsHere(ctx)) && (await walk(ctx, reader, ['']))
  if (whole) await walkAgain(ctx, reader)
  if (whole && !ctx.stopped()) noteScanned(ctx)
  ctx.scanning = false
  for (const path of ctx.unlooked.takeAll()) ctx.plan(path)
  ctx.nextScan = ctx.now + (whole ? ctx.deps.settings.scanEverySeconds * 1000 : ROOT_RETRY_MS)
  ctx.wake.publish.notify()
  ctx.wake.settled.notify()
  ctx.wake.plan.notify()
}

/** The first time with this index, what was not fetched so far is planned now. */
const noteScanned = (ctx: FolderContext): void => {
  ctx.scanned = true
  if (ctx.index.meta('scanned') !== undefined) return
  ctx.index.setMeta('scanned', 'whole')
  ctx.planAll()
}

const ROOT_RETRY_MS = 2_000
