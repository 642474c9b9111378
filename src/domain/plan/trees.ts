import type { Base, Revision } from '../change.ts'
import type { Content } from '../content.ts'

/** What the disk holds at a path, and which refusal of it (if any) the gateway has given. */
export interface LocalState {
  readonly content: Content
  /**
   * The gateway refused this very content: the version of the path that it showed then. The next plan that finds both changed makes a
   * conflict copy instead of asking again.
   */
  readonly refused?: Revision
}

/** The revision of a base that the gateway has named an older version of its path, without saying which. */
export const UNKNOWN_REVISION = -1

/** A version that this device had in sync. */
export interface BaseState {
  readonly revision: Revision
  readonly content: Content
}

/** The log's last word on the path at the agent's position; without content: deleted. */
export interface RemoteState {
  readonly revision: Revision
  readonly content: Content | undefined
  /**
   * Of a deletion: the version that it followed, where that was on its way to this device and never in sync here. What a step left of it
   * that was cut short, or whose end could not be told, is that version, and nothing new.
   */
  readonly before?: BaseState
}

/** One path in the three trees (DESIGN.md, section 2). */
export interface Trees {
  readonly local: LocalState | undefined
  readonly base: BaseState | undefined
  readonly remote: RemoteState | undefined
}

/** What is to be done at one path. Data only: the engine carries it out, and checks again what it finds. */
export type Intent =
  | { readonly tag: 'none' }
  /** The disk holds what the log says: record it as base. */
  | { readonly tag: 'adopt'; readonly version: BaseState }
  /** Gone on both sides. */
  | { readonly tag: 'forget' }
  | { readonly tag: 'put'; readonly version: BaseState }
  /** The bytes are right, the metadata is to follow the log's. */
  | { readonly tag: 'touch'; readonly version: BaseState }
  | { readonly tag: 'remove' }
  | { readonly tag: 'publish'; readonly action: 'create' | 'update'; readonly content: Content; readonly base: Base }
  | { readonly tag: 'publishDeletion'; readonly base: Revision }
  /** Both sides changed and the gateway has refused this one: it moves aside under a conflict name. */
  | { readonly tag: 'conflict'; readonly content: Content }
