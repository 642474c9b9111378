import { databaseFailure } from '../../lib/sqlite.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { Notification } from '../../transport/port.ts'
import type { Hint } from '../watch/port.ts'
import { adoptLoop } from './adopt.ts'
import { applyLoop } from './apply.ts'
import { FolderContext } from './context.ts'
import { fetchLoop } from './fetch.ts'
import type { FolderFatal, FolderStatus, FolderSync, FolderSyncDeps } from './folder-sync.types.ts'
import { graveLoop } from './graves.ts'
import { approve } from './holds.ts'
import { loadRules } from './load-rules.ts'
import { planLoop } from './planner.ts'
import { publishLoop, resumeOutbox } from './publish.ts'
import { pullLoop, takeTold } from './pull.ts'
import { FileReader } from './reader.ts'
import { reportLoop } from './report.ts'
import { lookLoop } from './scan.ts'
import { isAtRest, statusOf } from './status.ts'
import { rootIsHere } from './root.ts'
import { tidy } from './tidy.ts'
import { uploadLoop } from './upload.ts'
import { witnessLoop } from './witness.ts'

const onNotification = (ctx: FolderContext, notification: Notification): void => {
  switch (notification.tag) {
    case 'FolderAt':
      if (notification.folder !== ctx.deps.folder) return
      ctx.head = Math.max(ctx.head, notification.position)
      if (notification.page !== undefined) takeTold(ctx, { position: notification.position, page: notification.page })
      break
    case 'Connected':
      ctx.connected = true
      ctx.pullWanted = true
      ctx.deps.report({ tag: 'connected' })
      break
    case 'Disconnected':
      if (ctx.connected) ctx.deps.report({ tag: 'disconnected', reason: notification.reason })
      ctx.connected = false
      ctx.caughtUp = false
      ctx.lastError = notification.reason
      if (notification.refused) ctx.fail({ tag: 'Refused', reason: notification.reason })
      break
  }
  ctx.wake.pull.notify()
  ctx.wake.publish.notify()
  ctx.wake.upload.notify()
  ctx.wake.settled.notify()
}

const onHint = (ctx: FolderContext, hint: Hint): void => {
  if (hint.tag === 'path') return ctx.look(hint.path)
  if (hint.tag === 'limited') ctx.deps.report({ tag: 'note', text: hint.advice })
  ctx.scanWanted = true
  ctx.wake.look.notify()
}

/** A scan that did not wait for the watch may have missed what changed behind it. */
const onWatched = (ctx: FolderContext): void => {
  ctx.watched = true
  if (ctx.scanned || ctx.scanning) ctx.scanWanted = true
  ctx.wake.look.notify()
}

const isSettled = (ctx: FolderContext): boolean => isAtRest(ctx) && !ctx.pullWanted

const settle = async (ctx: FolderContext, signal: AbortSignal | undefined): Promise<FolderStatus> => {
  ctx.scanWanted = true
  ctx.pullWanted = true
  ctx.looks.hurry()
  ctx.problems.hurry()
  for (const wake of [ctx.wake.look, ctx.wake.pull, ctx.wake.plan]) wake.notify()
  const over = new AbortController()
  const end = (): void => over.abort()
  ctx.signal.addEventListener('abort', end, { signal: over.signal })
  signal?.addEventListener('abort', end, { signal: over.signal })
  const isOver = (): boolean => ctx.stopped() || signal?.aborted === true
  while (!isOver() && !isSettled(ctx)) {
    await ctx.deps.clock.sleep(5, over.signal)
    ctx.looks.hurry()
  }
  end()
  return statusOf(ctx)
}

/** What the machine does to the index; undefined: a mistake in the program. */
const indexTrouble = (error: unknown): string | undefined =>
  databaseFailure(error) === undefined || !(error instanceof Error)
    ? undefined
    : `its index in the state directory cannot be used: ${error.message}`

/** Keeps one folder in sync until stopped. The loops share a context, run on one thread, and wake each other. */
export const startFolderSync = (deps: FolderSyncDeps): FolderSync => {
  const over = new AbortController()
  let failed: (fatal: FolderFatal) => void = () => undefined
  let crashed: (error: unknown) => void = () => undefined
  const failure = new Promise<FolderFatal>((resolve, reject) => {
    failed = resolve
    crashed = reject
  })
  // Who does not wait for it is not to be brought down by it.
  failure.catch(() => undefined)
  const end = (): void => over.abort()
  const ctx = new FolderContext(
    deps,
    over.signal,
    (fatal) => {
      failed(fatal)
      end()
    },
    (error) => {
      const trouble = indexTrouble(error)
      if (trouble === undefined) crashed(error)
      else failed({ tag: 'Index', reason: trouble })
      end()
    },
  )
  const running = run(ctx).catch((error: unknown) => ctx.crash(error))
  return {
    status: () => statusOf(ctx),
    settle: (signal) => settle(ctx, signal),
    approveDeletions: (paths) => approve(ctx, paths),
    failed: failure,
    stop: async () => {
      end()
      await running
      await ctx.drained()
    },
  }
}

const run = async (ctx: FolderContext): Promise<void> => {
  await loadRules(ctx)
  if (ctx.stopped()) return
  resumeOutbox(ctx)
  // Nothing is brought into a folder before it is known to be the right one, and has its marker and the place for stages.
  await rootIsHere(ctx)
  if (ctx.stopped()) return
  const reader = new FileReader(ctx)
  const stopListening = ctx.deps.transport.notifications((notification) => {
    try {
      onNotification(ctx, notification)
    } catch (error) {
      ctx.crash(error)
    }
  })
  const watching = ctx.deps.watch.start(
    (hint) => onHint(ctx, hint),
    (path: SyncPath) => ctx.ignore.ignores(path, true),
  )
  watching.then(
    () => onWatched(ctx),
    (error: unknown) => ctx.crash(error),
  )
  const loops = [
    lookLoop(ctx, reader),
    planLoop(ctx),
    pullLoop(ctx),
    publishLoop(ctx),
    uploadLoop(ctx),
    fetchLoop(ctx),
    applyLoop(ctx),
    adoptLoop(ctx),
    graveLoop(ctx),
    witnessLoop(ctx),
    reportLoop(ctx),
    tidy(ctx),
  ]
  try {
    await Promise.all(loops.map((loop) => loop.catch((error: unknown) => ctx.crash(error))))
  } finally {
    stopListening()
    await (await watching)[Symbol.asyncDispose]()
  }
}
