import type { NewChunk } from '../../blobstore/port.ts'
import type { Change } from '../../domain/change.ts'
import type { Hash } from '../../domain/content.ts'
import type { Agent } from '../../projections/port.ts'
import type { Head } from '../../protocol/messages.ts'
import type { OpenManifest } from '../manifests.ts'

/** A message's changes, checked as far as they can be before the folder's writer decides. */
export interface Job {
  readonly agent: Agent
  readonly changes: readonly Change[]
  /** Each change's canonical JSON, and its leaf hash. */
  readonly canonical: readonly string[]
  readonly leaves: readonly Hash[]
  /** What makes the events' ids: of a plain client's message, which has no number, chance. */
  readonly epoch: string
  readonly number: number
  /** The evidence of a signed message; a plain client's has none. */
  readonly signed: { readonly head: Head; readonly signature: string } | undefined
  /** The client's clock in seconds. */
  readonly clientTime: number
  /** Chunks that came inside the message, their bytes checked against their hashes. */
  readonly contents: ReadonlyMap<Hash, NewChunk>
  /** The manifest objects that its changes name, as far as they could be read. */
  readonly manifests: ReadonlyMap<Hash, OpenManifest>
}
