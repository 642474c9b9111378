import type { SyncPath } from '../../domain/path.ts'

export type Hint =
  /** Something may have changed at, or directly inside, this path. */
  | { readonly tag: 'path'; readonly path: SyncPath }
  /** Hints were lost, or the watcher cannot watch everything: scan. */
  | { readonly tag: 'everything'; readonly reason: string }
  /** The system's limit of watches is reached: `advice` says how to raise it; the agent goes on by scanning. */
  | { readonly tag: 'limited'; readonly advice: string }

/** Says where to look; the scan finds the truth. Hints may repeat, come late, or be lost. */
export interface Watch {
  /**
   * Calls `hint` until disposed. Resolves when every directory that was there is watched: what changed before is for the caller to scan.
   * `skip` tells of directories that need no watching (ignored ones).
   */
  start(hint: (hint: Hint) => void, skip: (path: SyncPath) => boolean): Promise<AsyncDisposable>
}
