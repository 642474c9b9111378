/** How many files a folder had in sync, and how many of them one device is about to delete (moves do not count; going back to older content does). */
export interface DeletionTally {
  readonly synced: number
  readonly deleting: number
}

const ALL_AT_LEAST = 10
const MANY = 100

export type HoldReason = 'everything' | 'overHalf'

/** I15: deletions of all of 10 or more files, or of over half and at least 100, wait for a person. */
export const mustHold = ({ synced, deleting }: DeletionTally): HoldReason | undefined => {
  if (deleting >= ALL_AT_LEAST && deleting >= synced) return 'everything'
  if (deleting >= MANY && deleting * 2 > synced) return 'overHalf'
  return undefined
}
