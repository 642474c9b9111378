import * as E from 'fp-ts/lib/Either.js'
import type { Revision } from '../change.ts'
import type { FolderEvent, TreeEntry } from '../events.ts'
import type { SyncPath } from '../path.ts'

export type Decision =
  /** It is so already, by the event at `revision`: nothing is appended. */
  | { readonly tag: 'already'; readonly revision: Revision; readonly path: SyncPath }
  /** The last event is the change's own; those before (missing parents, a move's deletion) are made beside it. `path` is where it landed. */
  | { readonly tag: 'made'; readonly events: readonly FolderEvent[]; readonly path: SyncPath | undefined }

/** `present`: the path's present version; for `tree`, what stands in the way. */
export interface Refusal {
  readonly code: 'stale' | 'known' | 'tree' | 'notFound'
  readonly reason: string
  readonly present: TreeEntry | undefined
}

export type Decided = E.Either<Refusal, Decision>

export const refuse = (code: Refusal['code'], reason: string, present: TreeEntry | undefined): E.Either<Refusal, never> =>
  E.left({ code, reason, present })

export const already = ({ revision, path }: TreeEntry): Decided => E.right({ tag: 'already', revision, path })

export const made = (events: readonly FolderEvent[], path: SyncPath | undefined): Decided => E.right({ tag: 'made', events, path })
