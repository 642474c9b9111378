import type { FolderContext } from './context.ts'
import type { Adoption } from './jobs.ts'
import { sameSeen } from './local-tree.ts'

const AT_ONCE = 4_096
const RETRY_MS = 1_000
/** While so many paths are under way, adoptions gather for a while: nobody waits for them, and each group costs a `sync -f`. */
const BULK = 128
const GATHER_MS = 100
/** So few paths the disk looks at without another thread. */
const LOOKS_AT_ONCE = 16

const isBulk = ({ queues, fetching }: FolderContext): boolean =>
  queues.fetch.size + fetching.size + queues.apply.size + queues.publish.size >= BULK

/**
 * Records bases, in groups, each after its content is durable on this device (I17): what an agent received, and just as well what it published from
 * the page cache.
 */
export const adoptLoop = async (ctx: FolderContext): Promise<void> => {
  while (!ctx.stopped()) {
    if (ctx.adoptions.length === 0) {
      await ctx.wake.adopt.wait(ctx.deps.clock, ctx.signal)
      continue
    }
    if (isBulk(ctx)) await ctx.deps.clock.sleep(GATHER_MS, ctx.signal)
    const group = takeAdoptions(ctx)
    if (group.length > 0) await adoptGroup(ctx, group)
  }
}

/** What waits to be recorded, up to a bound. Whoever takes it makes it durable and records it, or puts it back. */
export const takeAdoptions = (ctx: FolderContext): Adoption[] => ctx.adoptions.splice(0, AT_ONCE)

export const putBackAdoptions = (ctx: FolderContext, group: readonly Adoption[]): void => {
  ctx.adoptions.unshift(...group)
  ctx.wake.adopt.notify()
}

const adoptGroup = async (ctx: FolderContext, group: readonly Adoption[]): Promise<void> => {
  const error = await ctx.deps.disk.persist(group.map(({ path }) => path))
  if (ctx.stopped()) return
  if (error !== undefined) {
    ctx.lastError = error.reason
    putBackAdoptions(ctx, group)
    return ctx.deps.clock.sleep(RETRY_MS, ctx.signal)
  }
  await confirm(ctx, group)
  if (!ctx.stopped()) recordBases(ctx, group)
}

/**
 * Files that were put in place, and that hints have named since, are looked at once more: as a rule the hints were of the placing. Whatever else is found
 * there, or hinted at from now on, is looked at as any change, once the file is recorded.
 */
export const confirm = async (ctx: FolderContext, group: readonly Adoption[]): Promise<void> => {
  const hinted = group.flatMap(({ path, local }) => (local?.settled === true && ctx.applying.get(path) === true ? [{ path, local }] : []))
  for (let at = 0; at < hinted.length && !ctx.stopped(); at += LOOKS_AT_ONCE) {
    const some = hinted.slice(at, at + LOOKS_AT_ONCE)
    for (const { path } of some) ctx.applying.set(path, false)
    const looks = await ctx.deps.disk.look(some.map(({ path }) => path))
    for (const [i, { path, local }] of some.entries()) {
      const look = looks[i]
      if (look?.tag !== 'seen' || local.seen.kind === 'directory' || !sameSeen(look.seen, local.seen)) ctx.applying.set(path, true)
    }
  }
}

/** Records what is durable by now. */
export const recordBases = (ctx: FolderContext, group: readonly Adoption[]): void => {
  if (group.length === 0) return
  ctx.index.atomically(() => {
    for (const { path, base, local } of group) {
      if (local !== undefined && base !== undefined) ctx.index.setInSync(path, local, base)
      else ctx.index.setBase(path, base)
    }
  })
  for (const { path, done } of group) {
    if (ctx.unrecorded.delete(path)) ctx.endSteps(path)
    if (done === undefined) ctx.release(path)
    else done()
  }
  ctx.wake.settled.notify()
}

/** Adopts several versions; resolves when all are recorded, or the run ends. The caller releases the paths. */
export const adoptAll = async (ctx: FolderContext, items: readonly Omit<Adoption, 'done'>[]): Promise<void> => {
  if (items.length === 0) return
  let left = items.length
  await new Promise<void>((resolve) => {
    const end = (): void => {
      ctx.signal.removeEventListener('abort', end)
      resolve()
    }
    const done = (): void => {
      left -= 1
      if (left === 0) end()
    }
    ctx.signal.addEventListener('abort', end)
    for (const item of items) ctx.adoptions.push({ ...item, done })
    ctx.wake.adopt.notify()
  })
}
