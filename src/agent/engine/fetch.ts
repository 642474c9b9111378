import { MAX_PAYLOAD } from '../../transport/port.ts'
import type { FolderContext } from './context.ts'
import { fetchLarge } from './fetch-large.ts'
import { fetchSmall } from './fetch-small.ts'
import type { Wanted } from './wanted.ts'

const GROUPS_AT_ONCE = 4
const LARGE_AT_ONCE = 2
const FILES_IN_GROUP = 256

const isSmall = ({ version }: Wanted): boolean =>
  version.content.size <= MAX_PAYLOAD && version.content.manifest.tag === 'chunks' && version.content.manifest.chunks.length <= 1

const take = (ctx: FolderContext): { readonly small: Wanted[]; readonly large: Wanted | undefined } => {
  const small: Wanted[] = []
  let bytes = 0
  for (const [path, version] of ctx.queues.fetch) {
    const wanted = { path, version }
    if (!isSmall(wanted)) {
      if (ctx.largeFetches >= LARGE_AT_ONCE || small.length > 0) continue
      ctx.queues.fetch.delete(path)
      return { small, large: wanted }
    }
    if (small.length > 0 && (small.length >= FILES_IN_GROUP || bytes + version.content.size > MAX_PAYLOAD)) break
    ctx.queues.fetch.delete(path)
    small.push(wanted)
    bytes += version.content.size
  }
  return { small, large: undefined }
}

const begin = (ctx: FolderContext, wanted: readonly Wanted[], work: Promise<void>, end: () => void): void => {
  for (const { path, version } of wanted) ctx.fetching.set(path, version)
  ctx.run(
    work.finally(() => {
      for (const { path } of wanted) ctx.fetching.delete(path)
      end()
      ctx.wake.fetch.notify()
      // Removals wait for those who want their bytes.
      ctx.wake.apply.notify()
      ctx.wake.plan.notify()
    }),
  )
}

/** Brings versions' bytes into the stage: small ones in groups, large ones on their own beside them. */
export const fetchLoop = async (ctx: FolderContext): Promise<void> => {
  let groups = 0
  while (!ctx.stopped()) {
    const { small, large } = groups < GROUPS_AT_ONCE ? take(ctx) : { small: [], large: undefined }
    if (large !== undefined) {
      ctx.largeFetches += 1
      begin(ctx, [large], fetchLarge(ctx, large), () => {
        ctx.largeFetches -= 1
      })
    } else if (small.length > 0) {
      groups += 1
      begin(ctx, small, fetchSmall(ctx, small), () => {
        groups -= 1
      })
    } else await ctx.wake.fetch.wait(ctx.deps.clock, ctx.signal)
  }
}
