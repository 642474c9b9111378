import type { Adoption, FolderContext } from './context.ts'

const AT_ONCE = 4_096
const RETRY_MS = 1_000

/**
 * Records bases, in groups, each after its content is durable on this device (I17): what an agent received, and just as well what it published from
 * the page cache.
 */
export const adoptLoop = async (ctx: FolderContext): Promise<void> => {
  while (!ctx.stopped()) {
    const group = ctx.adoptions.splice(0, AT_ONCE)
    if (group.length === 0) await ctx.wake.adopt.wait(ctx.deps.clock, ctx.signal)
    else await adoptGroup(ctx, group)
  }
}

const adoptGroup = async (ctx: FolderContext, group: readonly Adoption[]): Promise<void> => {
  const error = await ctx.deps.disk.persist(group.map(({ path }) => path))
  if (ctx.stopped()) return
  if (error !== undefined) {
    ctx.lastError = error.reason
    ctx.adoptions.unshift(...group)
    return ctx.deps.clock.sleep(RETRY_MS, ctx.signal)
  }
  ctx.index.atomically(() => {
    for (const { path, base } of group) ctx.index.setBase(path, base)
  })
  for (const { path, done } of group) {
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
