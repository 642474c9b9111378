import type { Chunk, Content } from '../../domain/content.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { BaseState } from '../../domain/plan/trees.ts'
import type { LocalNode } from '../index/node.ts'

/** What the planner has handed to one of the workers, by path. A path is with at most one of them: it is busy until released. */
export interface Queues {
  /** Versions to bring to the disk. */
  readonly fetch: Map<SyncPath, BaseState>
  /** Visible changes that need no bytes (any more). */
  readonly apply: Map<SyncPath, ApplyJob>
  readonly publish: Set<SyncPath>
  /** Deletions, and returns to older content: they wait until nothing moves, and may be held (I15). */
  readonly destructive: Set<SyncPath>
}

export interface Adoption {
  readonly path: SyncPath
  readonly base: BaseState | undefined
  /** What was put in place and is in no tree yet: the local tree learns of it together with base. */
  readonly local?: LocalNode
  readonly done?: () => void
}

export type ApplyJob =
  | {
      readonly tag: 'place'
      readonly version: BaseState
      readonly stage: string | undefined
      readonly target: string | undefined
      /** Of a staged file. */ readonly chunks: readonly Chunk[]
      /** The stage is a link to what was in sync here, so its content is durable already. */
      readonly durable?: boolean
    }
  | { readonly tag: 'touch'; readonly version: BaseState }
  | { readonly tag: 'remove' }
  | { readonly tag: 'conflict'; readonly content: Content }
