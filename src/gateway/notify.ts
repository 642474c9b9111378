import type { AgentKey, FolderId } from '../domain/events.ts'
import type { GatewayDeps, Notifier } from './deps.ts'
import type { Pages } from './page.ts'

/** Who made a folder grow, and how; nothing of either where another gateway appended. */
export interface News {
  readonly authors: ReadonlySet<AgentKey>
  readonly pages: Pages | undefined
}

const NO_NEWS: News = { authors: new Set(), pages: undefined }

/**
 * Everybody who may read the folder learns that it has grown, its authors too, but last: a device may keep it in several places, each over a connection of
 * its own, while the others wait for the news. A single author has all new contents.
 */
export const notifyAll = (
  { state, notifier }: Pick<GatewayDeps, 'state'> & { readonly notifier: Notifier },
  folder: FolderId,
  position: number,
  { authors, pages }: News = NO_NEWS,
): void => {
  const account = state.directory.folder(folder)?.account
  if (account === undefined) return
  const keys = state.directory.agentsOf(account).flatMap(({ revoked, key }) => (revoked ? [] : [key]))
  const tell = (to: readonly AgentKey[], page: Pages[keyof Pages] | undefined): void => {
    if (to.length > 0) notifier.notify(to, page === undefined ? { folder, position } : { folder, position, page })
  }
  tell(
    keys.filter((key) => !authors.has(key)),
    pages?.whole,
  )
  tell(
    keys.filter((key) => authors.has(key)),
    authors.size === 1 ? pages?.bare : pages?.whole,
  )
}
