import type { Content } from '../../../src/domain/content.ts'
import type { FolderEvent } from '../../../src/domain/events.ts'
import type { JsonObject } from '../../../src/protocol/json.ts'
import type { ContentId } from '../content-id.ts'
import type { Contents } from '../contents.ts'
import type { DiskHistory } from '../history.ts'
import type { DeviceTraits } from '../schedule.ts'
import type { Trace } from '../trace.ts'

/** An event of the folder's stream, with when it was appended and by whom. */
export interface LogEntry {
  readonly sequence: number
  readonly revision: number
  readonly id: string
  readonly chain: string
  /** The device whose agent asked for it; undefined: the gateway's own. */
  readonly device: string | undefined
  readonly event: FolderEvent
  /** What was asked for: the Action of the signed change that the event embeds; undefined: it was made beside a change. */
  readonly action: string | undefined
  /** Its content, where it has one. */
  readonly content: ContentId | undefined
}

/** What one device holds and remembers. */
export interface DeviceEvidence {
  readonly name: string
  readonly traits: DeviceTraits
  readonly history: DiskHistory
  /** How this device compares names. */
  readonly key: (name: string) => string
  /** The smallest difference between two stored times, in nanoseconds. */
  readonly tickNs: bigint
  /** When deletions were approved; when the root was emptied or unmounted; when one that had been unmounted was back; when the power was cut. */
  readonly approvals: readonly number[]
  readonly rootLosses: readonly RootLoss[]
  readonly rootReturns: readonly number[]
  readonly cuts: readonly number[]
}

export interface RootLoss {
  readonly sequence: number
  /** What was on the disk, path by path. */
  readonly held: ReadonlyMap<string, ContentId>
  /** How many files of it were the log's at that moment. */
  readonly filesInSync: number
}

/** A Changes message and the answer that reached its sender. */
export interface Acknowledged {
  readonly device: string
  readonly request: JsonObject
  readonly answer: JsonObject
}

/** A row of the gateway's own tree, as its table has it. */
export interface TreeRow {
  readonly path: string
  readonly revision: number
  readonly fileId: string
  readonly content: Content | null
}

/** All that a run is judged by: what the devices hold, what was written when and by whom, what each had seen, and the raw log. */
export interface Evidence {
  readonly trace: Trace
  readonly contents: Contents
  readonly devices: readonly DeviceEvidence[]
  readonly log: readonly LogEntry[]
  readonly acknowledged: readonly Acknowledged[]
  /** Those of the chunks that the log names which are not stored. */
  readonly missingChunks: readonly string[]
  readonly stateTree: readonly TreeRow[]
  /** A Sync from a position to the end, page by page, as the gateway answers it. */
  readonly sync: (position: number, chain: string) => Promise<readonly JsonObject[]>
  /** Positions to ask it from. */
  readonly positions: readonly number[]
}
