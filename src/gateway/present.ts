import type { Hash } from '../domain/content.ts'
import type { AccountId, FolderId } from '../domain/events.ts'
import type { Followed, StateProjection } from '../projections/port.ts'
import type { Chunks } from './chunks.ts'
import type { UploadStore } from './uploads.ts'

/** Which chunks a sender may name without sending them. */
export interface Present {
  /**
   * Only what a version in a folder that the account may read names, or what one of its agents has uploaded: knowing a hash
   * gives nothing (DESIGN.md, section 6: what may be asked for). Its size; undefined: it must be sent.
   */
  size(account: AccountId, folder: FolderId, hash: Hash): number | undefined
}

export interface PresentDeps {
  readonly state: Pick<StateProjection, 'directory'>
  readonly followed: Followed
  readonly uploads: UploadStore
  readonly chunks: Pick<Chunks, 'isDamaged'>
}

export const createPresent = ({ state, followed, uploads, chunks }: PresentDeps): Present => ({
  size: (account, folder, hash) => {
    if (chunks.isDamaged(hash) || followed.isGone(hash)) return undefined
    const known = followed.chunkSize(folder, hash) ?? uploads.size(account, hash)
    if (known !== undefined) return known
    for (const other of state.directory.foldersOf(account)) {
      const size = followed.chunkSize(other.folder, hash)
      if (size !== undefined) return size
    }
    return undefined
  },
})
