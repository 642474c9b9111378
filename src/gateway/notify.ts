import type { AgentKey, FolderId } from '../domain/events.ts'
import type { GatewayDeps, Notifier } from './deps.ts'

/**
 * Everybody learns that the folder has grown, its authors too, but last: a device may keep it in several places, each over a connection of its own, while
 * the others wait for the news.
 */
export const notifyAll = (
  { state, notifier }: Pick<GatewayDeps, 'state'> & { readonly notifier: Notifier },
  folder: FolderId,
  position: number,
  authors: ReadonlySet<AgentKey> = new Set(),
): void => {
  const account = state.directory.folder(folder)?.account
  if (account === undefined) return
  const keys = state.directory.agentsOf(account).flatMap(({ revoked, key }) => (revoked ? [] : [key]))
  notifier.notify([...keys.filter((key) => !authors.has(key)), ...keys.filter((key) => authors.has(key))], { folder, position })
}
