import type { FolderId } from '../domain/events.ts'
import type { GatewayDeps, Notifier } from './deps.ts'

/** Everybody learns that the folder has grown, its author too: a device may keep it in several places, each over a connection of its own. */
export const notifyAll = (
  { state, notifier }: Pick<GatewayDeps, 'state'> & { readonly notifier: Notifier },
  folder: FolderId,
  position: number,
): void => {
  const account = state.directory.folder(folder)?.account
  if (account === undefined) return
  const agents = state.directory.agentsOf(account).filter(({ revoked }) => !revoked)
  notifier.notify(
    agents.map(({ key }) => key),
    { folder, position },
  )
}
