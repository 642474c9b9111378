import type { FolderId } from '../../domain/events.ts'

/** Which versions stay. A version that is current always does. */
export interface RetentionPolicy {
  /** Versions that were replaced or deleted longer ago than this may go. */
  readonly keepSeconds: number
  /** So many newest versions of each file stay whatever their age, a deleted file's too. */
  readonly keepVersions: number
  /** Of this folder alone; all others keep everything. null: of all folders. */
  readonly folder: FolderId | null
}

/** A pack by what is still needed of it. */
export interface Weighed {
  /** Its size in the store. */
  readonly bytes: number
  /** Of its chunks, with what a pack keeps of each, those that a kept version names. */
  readonly liveBytes: number
  /** Its chunks that no kept version names. */
  readonly dead: number
}

/**
 * What becomes of it: a pack that is mostly dead gives its live chunks to another one and goes. `thorough`: one that holds anything dead does, which costs
 * more copying, and leaves nothing behind that was to go.
 */
export const fateOf = ({ bytes, liveBytes, dead }: Weighed, thorough: boolean): 'keep' | 'repack' | 'free' => {
  if (liveBytes === 0) return 'free'
  return liveBytes * 2 < bytes || (thorough && dead > 0) ? 'repack' : 'keep'
}
