import type { SyncPath } from '../../domain/path.ts'
import type { BaseState } from '../../domain/plan/trees.ts'
import { sha256 } from '../../protocol/hash.ts'
import type { DiskError, StageResult } from '../disk/port.ts'
import type { FolderContext } from './context.ts'
import { obstacleOf } from './problems.ts'

/** A version to bring here. */
export interface Wanted {
  readonly path: SyncPath
  readonly version: BaseState
}

/** The same for the same content at the same path, so that a transfer goes on after a cut. */
export const stageName = ({ path, version }: Wanted): string => sha256(`${path}\0${version.content.hash}`).slice(0, 32)

/** Gives a path up for now: it is tried again with growing pauses. */
export const giveUp = (ctx: FolderContext, path: SyncPath, error: DiskError): void => {
  ctx.block(path, obstacleOf(error, 'version'))
  if (error.tag === 'NoSpace') ctx.lastError = error.reason
  ctx.release(path)
}

/** Gives up a version whose staging went wrong; tells whether it went well. */
export const isStaged = (ctx: FolderContext, path: SyncPath, result: StageResult): boolean => {
  if (result.tag === 'failed') giveUp(ctx, path, result.error)
  if (result.tag === 'mismatch') giveUp(ctx, path, { tag: 'Io', reason: 'the bytes that came do not match their hash' })
  return result.tag === 'staged'
}
