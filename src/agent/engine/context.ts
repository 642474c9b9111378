import type { Change } from '../../domain/change.ts'
import type { Hash } from '../../domain/content.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { BaseState } from '../../domain/plan/trees.ts'
import { RecentSet } from '../../lib/recent-set.ts'
import { Wakeup } from '../../lib/wakeup.ts'
import { IgnoreRules } from '../ignore-rules.ts'
import { FolderIndex } from '../index/folder-index.ts'
import type { LocalNode, Node } from '../index/node.ts'
import { ByteCache } from './byte-cache.ts'
import { Deletions } from './deletions.ts'
import type { FolderFatal, FolderSyncDeps } from './folder-sync.types.ts'
import type { Adoption, ApplyJob, Queues } from './jobs.ts'
import { LookQueue } from './look-queue.ts'
import type { OutboxRow } from './outbox.ts'
import { type Obstacle, Problems } from './problems.ts'
import { Unlooked } from './unlooked.ts'
import { Unnamed, whyUnnamed } from './unnamed.ts'

const BYTES_KEPT = 32 * 1024 * 1024
const TOLD_KEPT = 2 * 1024 * 1024

/** What the loops of one folder share. All of it is touched from one thread. */
export class FolderContext {
  readonly deps: FolderSyncDeps
  readonly index: FolderIndex
  readonly signal: AbortSignal
  readonly fail: (fatal: FolderFatal) => void
  /** An unexpected error: a fault of ours, which ends the folder's run. */
  readonly crash: (error: unknown) => void
  readonly #running = new Set<Promise<void>>()
  readonly ignore = new IgnoreRules()
  readonly problems = new Problems()
  /** Contents between their reading and their sending. */
  readonly bytes = new ByteCache(BYTES_KEPT)
  /** Contents that came with a notification, their hashes checked. */
  readonly told = new ByteCache(TOLD_KEPT)
  readonly looks: LookQueue
  readonly unlooked = new Unlooked()
  readonly hot = new Set<SyncPath>()
  readonly busy = new Set<SyncPath>()
  readonly queues: Queues = { fetch: new Map(), apply: new Map(), publish: new Set(), destructive: new Set() }
  readonly wake = {
    look: new Wakeup(),
    plan: new Wakeup(),
    fetch: new Wakeup(),
    apply: new Wakeup(),
    publish: new Wakeup(),
    pull: new Wakeup(),
    adopt: new Wakeup(),
    upload: new Wakeup(),
    graves: new Wakeup(),
    settled: new Wakeup(),
    room: new Wakeup(),
  }
  readonly adoptions: Adoption[] = []
  /** The message that was made and not answered for good: the outbox's row without outcomes. */
  outstanding: OutboxRow | undefined
  /** Messages that were answered, and whose paths are not settled yet. */
  unfinished = 0
  /** Messages up to this number were made before the power may have been cut: what they say of the disk is looked at before it becomes base (I17). */
  doubtfulUpTo = 0
  /** Large contents that wait for, or are on, their way up. */
  readonly uploading = new Set<SyncPath>()
  readonly uploads: SyncPath[] = []
  /** Contents whose chunks the gateway has, as it said lately. */
  readonly uploaded = new RecentSet<Hash>(4_096)
  /** Notices about held deletions, for the next message. */
  readonly notices: Change[] = []
  readonly deletions = new Deletions()
  pullWanted = true
  /** A Sync is under way. */
  pulling = false
  /** Paths whose versions are being fetched. */
  readonly fetching = new Map<SyncPath, BaseState>()
  largeFetches = 0
  /** How many groups of visible steps have been recorded: what was looked at across one of them is looked at again. */
  groupsApplied = 0
  /** Paths whose visible steps are under way or not recorded, and whether anything asked for a look meanwhile: it comes afterwards, when it is known what the steps did. */
  readonly applying = new Map<SyncPath, boolean>()
  /** Paths in the queue to be applied whose bytes another path, which is being fetched, takes from there first. */
  readonly sourceFor = new Map<SyncPath, SyncPath>()
  /** Those of them that were put in place and wait to be recorded. */
  readonly unrecorded = new Set<SyncPath>()
  /** Staged files that nothing wants any more. */
  readonly idleStages: string[] = []
  /** Graves are looked at in rounds, some seconds apart: those of the present one rest until the next. */
  graveRound = 0
  readonly pullWaiters: (() => void)[] = []
  connected = false
  /** A Sync has reached the head since the connection was made: only then are local changes judged against the right tree. */
  caughtUp = false
  head = -1
  /** Files being read; a hint that comes meanwhile asks for another look. */
  readonly reading = new Map<SyncPath, { again: boolean; stale: boolean }>()
  /** The watch has begun: from now on it hints at what changes behind a scan. */
  watched = false
  /** The whole folder has been scanned since the start. */
  scanned = false
  scanning = false
  scanWanted = true
  nextScan = -Infinity
  /** Hinted paths are being looked at. */
  looking = false
  /** Directories whose ignore rules have changed. */
  readonly rewalk = new Set<SyncPath | ''>()
  readonly unnamed = new Unnamed()
  /** Why the root is not the folder that was synced (I15); nothing is planned meanwhile. */
  rootLost: string | undefined
  lastError: string | null = null
  /** Paths after which the sweep over all open nodes goes on; undefined: no sweep is due. */
  sweep: string | undefined = ''

  constructor(deps: FolderSyncDeps, signal: AbortSignal, fail: (fatal: FolderFatal) => void, crash: (error: unknown) => void) {
    this.deps = deps
    this.signal = signal
    this.fail = fail
    this.crash = crash
    this.index = new FolderIndex(deps.database, (path, isDirectory) => this.ignore.ignores(path, isDirectory))
    this.looks = new LookQueue(this.wake.look.notify)
  }

  /** The run is over, or about to be. */
  stopped(): boolean {
    return this.signal.aborted
  }

  get now(): number {
    return this.deps.clock.monotonic()
  }

  get position(): number {
    return Number(this.index.meta('position') ?? '-1')
  }

  get chain(): string {
    return this.index.meta('chain') ?? ''
  }

  isIgnored(node: Node): boolean {
    const kind = node.local?.content.kind ?? node.remote?.content?.kind ?? node.base?.content.kind
    return this.ignore.ignores(node.path, kind === 'directory')
  }

  /** To be planned soon. */
  plan(path: SyncPath): void {
    if (this.hot.size < 10_000) this.hot.add(path)
    else this.sweep = ''
    this.wake.plan.notify()
  }

  /** To be planned again: every open node. */
  planAll(): void {
    this.sweep = ''
    this.wake.plan.notify()
  }

  /** A path was found to be gone from the disk. */
  vanished(): void {
    this.deletions.vanished(this.now, this.scanned && this.queues.destructive.size === 0)
  }

  /** A worker is done with a path, one way or another. */
  release(path: SyncPath): void {
    this.busy.delete(path)
    this.plan(path)
  }

  look(path: SyncPath, delay = 0): void {
    this.looks.add(path, this.now, delay)
  }

  /** A step has changed what is at a path: what is being read of it may be from before. */
  stepped(path: SyncPath): void {
    const running = this.reading.get(path)
    if (running !== undefined) running.stale = true
  }

  /** Whether a look at the path waits until the steps that change it are done: what it shows now is this device's own work, as likely as not. */
  defers(path: SyncPath): boolean {
    if (!this.applying.has(path)) return false
    this.applying.set(path, true)
    return true
  }

  /** What the steps at a path did is recorded: whoever asked for a look meanwhile gets it. */
  endSteps(path: SyncPath): void {
    const asked = this.applying.get(path) === true
    this.applying.delete(path)
    if (asked) this.look(path)
  }

  /** Writes again what the index says of paths by ignore rules, and by which. */
  refresh(directory: SyncPath | ''): void {
    this.index.refresh(directory)
    this.index.setMeta('rules', this.ignore.fingerprint)
  }

  /** New ignore rules: what they name is left alone from now on, and the rest is looked for. */
  rulesChanged(directory: SyncPath | ''): void {
    this.refresh(directory)
    this.rewalk.add(directory)
    this.wake.look.notify()
    this.planAll()
  }

  unnameable(directory: SyncPath | '', raw: string): void {
    const shown = this.unnamed.add(directory, raw)
    if (shown !== undefined) this.deps.report({ tag: 'problem', path: shown, reason: whyUnnamed(shown) })
  }

  /** A version's bytes are at hand: it can be put in place. */
  staged(path: SyncPath, job: ApplyJob): void {
    this.queues.apply.set(path, job)
    this.wake.apply.notify()
  }

  /** A large content must be with the gateway before a message names it. */
  upload(path: SyncPath): void {
    this.uploading.add(path)
    this.uploads.push(path)
    this.wake.upload.notify()
  }

  /** The disk holds what this version says (undefined: nothing): becomes base once that is durable (I17). The path is busy until then. */
  adopt(path: SyncPath, base: BaseState | undefined): void {
    this.busy.add(path)
    this.adoptions.push({ path, base })
    this.wake.adopt.notify()
  }

  /** A version was put where nothing was: both trees learn of it in one step, once it is durable (I17); until then looks wait. */
  adoptPlaced(path: SyncPath, base: BaseState, local: LocalNode): void {
    this.busy.add(path)
    this.unrecorded.add(path)
    this.adoptions.push({ path, base, local })
    this.wake.adopt.notify()
  }

  /** Lets work go on beside the loops; an error in it is an error of the folder. */
  run(work: Promise<void>): void {
    this.#running.add(work)
    work.then(
      () => this.#running.delete(work),
      (error: unknown) => {
        this.#running.delete(work)
        this.crash(error)
      },
    )
  }

  /** Resolves when nothing runs beside the loops any more. */
  async drained(): Promise<void> {
    await Promise.allSettled(this.#running)
  }

  /** What is at a path on the disk can be read (again), or is no matter any more: a plan that waited for it goes on. */
  readable(path: SyncPath): void {
    const waited = this.unlooked.delete(path)
    if (this.problems.clear(path, 'disk') || waited) this.plan(path)
  }

  block(path: SyncPath, obstacle: Obstacle): void {
    if (this.problems.block(path, obstacle, this.now)) this.deps.report({ tag: 'problem', path, reason: obstacle.reason })
    this.wake.plan.notify()
  }
}
