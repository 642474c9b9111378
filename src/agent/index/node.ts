import { type Content, type Hash, sameBytes, sameContent } from '../../domain/content.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { BaseState, LocalState, RemoteState } from '../../domain/plan/trees.ts'
import type { Seen } from '../disk/port.ts'
import { decodeBase, decodeLocal, decodeRemote } from './codec.ts'

/** The local tree's node: what the disk holds, and the stat that tells whether it still does. */
export interface LocalNode extends LocalState {
  readonly seen: Seen
  /** False where it was hashed so soon after its change that a later write may show the same times: look again. */
  readonly settled: boolean
}

export interface Node {
  readonly path: SyncPath
  readonly local: LocalNode | undefined
  readonly base: BaseState | undefined
  readonly remote: RemoteState | undefined
}

export const LOCAL_OPEN = 1
export const REMOTE_OPEN = 2

export interface Row {
  readonly path: SyncPath
  readonly local: string | null
  readonly base: string | null
  readonly remote: string | null
  readonly state: number
}

/** Whether the folder's ignore rules leave a path alone. */
export type IsIgnored = (path: SyncPath, isDirectory: boolean) => boolean

export const stateOf = ({ path, local, base, remote }: Node, isIgnored: IsIgnored): number => {
  const kind = local?.content.kind ?? remote?.content?.kind ?? base?.content.kind
  if (isIgnored(path, kind === 'directory')) return 0
  const localSame = local === undefined ? base === undefined : base !== undefined && sameContent(local.content, base.content)
  const remoteSame =
    remote?.content === undefined
      ? base === undefined && remote?.before === undefined
      : base !== undefined && base.revision === remote.revision
  return (localSame ? 0 : LOCAL_OPEN) | (remoteSame ? 0 : REMOTE_OPEN)
}

/** The content that the log has for a file here and the disk does not hold yet. */
export const wantedHash = ({ local, remote }: Node, state: number): Hash | null => {
  const content = remote?.content
  if ((state & REMOTE_OPEN) === 0 || content === undefined || content.kind !== 'file' || content.size === 0) return null
  return local !== undefined && sameBytes(local.content, content) ? null : content.hash
}

/** What a deletion overtakes at a path that was never in sync. */
export const onItsWay = (remote: RemoteState | undefined): BaseState | undefined =>
  remote?.content === undefined ? remote?.before : { revision: remote.revision, content: remote.content }

/** Whether chunks of a local file may be listed: of one that has a single one, or none, they never are. */
export const mayHavePieces = (local: LocalNode | undefined): boolean =>
  local !== undefined && (local.content.manifest.tag === 'object' || local.content.manifest.chunks.length > 1)

export const nowhere = ({ kind, size, executable }: Content): Seen => ({ kind, size, executable, mtime: '0', ctime: '0', inode: '0' })

/** How the tables name the bytes of a file; null: there are none. */
export const fileHash = (content: Content | undefined): Hash | null => (content?.kind === 'file' && content.size > 0 ? content.hash : null)

/** None of the three trees has anything there, nor may the disk hold the rest of anything. */
export const isNothing = ({ local, base, remote }: Node): boolean =>
  local === undefined && base === undefined && remote?.content === undefined && remote?.before === undefined

/** A node, and what its row says is open at it. */
export interface Entry {
  readonly node: Node
  readonly state: number
}

export const isUnknown = ({ local, base, remote }: Node): boolean => local === undefined && base === undefined && remote === undefined

export const toEntry = ({ path, local, base, remote, state }: Row): Entry => ({
  node: {
    path,
    local: local === null ? undefined : decodeLocal(local),
    base: base === null ? undefined : decodeBase(base),
    remote: remote === null ? undefined : decodeRemote(remote),
  },
  state,
})

// Every row of `node` has these columns, and its paths came from validated ones.
export const asRow = (row: unknown): Row | undefined => row as Row | undefined
export const asRows = (rows: unknown): Row[] => rows as Row[]

/** The smallest text after every path under a directory: '0' follows '/'. */
export const endOf = (directory: string): string => `${directory}0`
