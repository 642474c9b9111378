import { isConflictName } from '../../domain/conflict-name.ts'
import { nameOf } from '../../domain/path.ts'
import type { FolderContext } from './context.ts'
import type { FolderStatus } from './folder-sync.types.ts'
import { heldPaths } from './holds.ts'

const COUNT_BLOCKED_UP_TO = 1_000

interface Waiting {
  readonly outgoing: number
  readonly incoming: number
}

/** What waits, without the paths that nothing here can change (a name that this device can't hold). */
const waiting = (ctx: FolderContext): Waiting => {
  const counts = ctx.index.counts()
  if (ctx.problems.size === 0) return counts
  let { outgoing, incoming } = counts
  for (const path of ctx.problems.permanentPaths(COUNT_BLOCKED_UP_TO)) {
    const state = ctx.index.stateAt(path)
    if (state === 1) outgoing -= 1
    if (state > 1) incoming -= 1
  }
  return { outgoing, incoming }
}

const conflictsIn = (ctx: FolderContext): string[] => ctx.index.maybeConflictCopies().filter((path) => isConflictName(nameOf(path)))

export const statusOf = (ctx: FolderContext): FolderStatus => {
  const { outgoing, incoming } = waiting(ctx)
  const held = ctx.rootLost === undefined ? heldPaths(ctx) : ['']
  const pending = Math.max(0, outgoing - held.length)
  const problems = [...ctx.problems.list(), ...ctx.unnamed.list()]
  const settled =
    ctx.scanned && ctx.looks.empty && !ctx.looking && ctx.reading.size === 0 && ctx.busy.size === 0 && ctx.adoptions.length === 0
  const inSync =
    ctx.connected &&
    ctx.caughtUp &&
    ctx.position >= ctx.head &&
    settled &&
    outgoing === 0 &&
    incoming === 0 &&
    held.length === 0 &&
    ctx.problems.allPermanent
  return {
    folder: ctx.deps.folder,
    inSync,
    connected: ctx.connected,
    position: ctx.position,
    head: ctx.head,
    pending,
    incoming,
    conflicts: conflictsIn(ctx),
    held,
    problems,
    lastError: ctx.lastError,
  }
}

/** Nothing is under way, and nothing more will happen without a new cause: a change, a person, a pause that ends. */
export const isAtRest = (ctx: FolderContext): boolean => {
  const { queues } = ctx
  if (ctx.rootLost !== undefined) return !ctx.scanning && !ctx.scanWanted
  const resting =
    ctx.scanned &&
    ctx.rewalk.size === 0 &&
    !ctx.scanning &&
    !ctx.scanWanted &&
    ctx.looks.empty &&
    !ctx.looking &&
    ctx.reading.size === 0 &&
    ctx.hot.size === 0 &&
    ctx.sweep === undefined
  const handedOut =
    queues.fetch.size + queues.apply.size + queues.publish.size + queues.destructive.size + ctx.busy.size + ctx.notices.length
  return resting && handedOut === 0 && ctx.unfinished === 0 && ctx.caughtUp && ctx.position >= ctx.head
}
