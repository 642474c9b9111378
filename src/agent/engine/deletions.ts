import type { Chunk } from '../../domain/content.ts'
import { createLru } from '../../lib/lru.ts'
import { RecentArrivals } from './recent-arrivals.ts'
import { RecentDeletions } from './recent-deletions.ts'

/** Some 100 bytes each (I16). */
const MAX_GONE_CHUNKS = 50_000

/** What is found gone so much later, while no deletion waits, is no part of the same. */
const APART_MS = 1_000

/** When files went and came lately: what deletions are judged by before they are sent (I15), and told from moves. */
export class Deletions {
  readonly recent = new RecentDeletions()
  /** Files that had vanished here, and came back lately because they were changed elsewhere: they, too, went with the others (I15). */
  readonly broughtBack = new RecentDeletions()
  readonly arrivals = new RecentArrivals()
  /** Since when deletions have been waiting. */
  waitingSince: number | undefined
  /** When a path was last found to be gone: deletions wait until nothing vanishes any more. */
  vanishedAt = -Infinity
  /** When those that wait now began to be found gone; what vanished before the first scan of a run may have gone at any time before it. */
  vanishingSince = -Infinity
  /** When a file was last found that is new here. */
  appearedAt = -Infinity
  /** When deletions were last held that were not before. */
  heldAt = -Infinity
  /** The chunks of large files that vanished, by inode: one that appears with it is most likely the same under a new name. */
  readonly goneChunks = createLru<string, readonly Chunk[]>(MAX_GONE_CHUNKS, (chunks) => chunks.length)

  /** A path was found to be gone from the disk. `alone`: no deletion waits that it may be a part of. */
  vanished(now: number, alone: boolean): void {
    if (alone && now - this.vanishedAt > APART_MS) this.vanishingSince = now
    this.vanishedAt = now
  }
}
