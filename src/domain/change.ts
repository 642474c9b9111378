import type { Content } from './content.ts'
import type { SyncPath } from './path.ts'

/** The revision of the event that made a version of a path, in its folder's stream. */
export type Revision = number

/**
 * One change that an agent asks for. `base` is the version of the path that the change was made on: a revision, 'none' where the
 * agent knew of none, and 'any' for clients that do not say (PySync: last writer wins, DESIGN.md section 6). A move's `base` is
 * the version at `from`.
 */
export type Change =
  | { readonly tag: 'create'; readonly path: SyncPath; readonly content: Content; readonly base: Base }
  | { readonly tag: 'update'; readonly path: SyncPath; readonly content: Content; readonly base: Base }
  | { readonly tag: 'move'; readonly from: SyncPath; readonly path: SyncPath; readonly content: Content; readonly base: Base }
  | { readonly tag: 'delete'; readonly path: SyncPath; readonly base: Base }
  | { readonly tag: 'hold'; readonly count: number; readonly reason: string }
  | { readonly tag: 'approve'; readonly count: number }

export type Base = Revision | 'none' | 'any'
