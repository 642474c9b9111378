/** What a verification can find, each with what it means; `audit verify --json` tells them apart by these words. */
export const FAULT_KINDS = {
  unreadable: 'a part of the log cannot be read',
  index: "the log's index disagrees with its records",
  gap: 'a revision is missing, or there twice',
  chain: 'an event is not what its chain says, or does not follow the one before',
  format: 'an event is not of the form of its type, or of a type that this version does not know',
  id: "an event's id is not the one that it must have",
  signature: 'a signature is not that of the key over what it should cover',
  change: "a message's changes are not those that were signed: one is missing, altered, added or out of its place",
  moved: 'a signed message was signed for another folder, agent or place than where it stands',
  link: "an agent's messages do not follow each other: one is missing, or out of its place",
  agent: 'whoever made an event was not enrolled, had been revoked, or belongs to another account',
  derived: 'what the gateway says of a change does not follow from the change and the tree',
  witness: "an agent's signed word on what it saw disagrees with the log",
  checkpoint: 'a signed checkpoint disagrees with the log: the log was rewritten, or its end was cut off',
  missing: 'content that an event names is not stored',
  size: 'content has another size than the event that names it says',
  manifest: 'a list of chunks does not make the content that it was given for',
  pack: 'a pack is missing, or is not what the log says of it',
  object: 'stored bytes have another hash',
  file: 'the exported file is not as it was written',
} as const

export type FaultKind = keyof typeof FAULT_KINDS

/** One thing that is wrong, and where: an event by stream and revision, a path where it speaks of one, a stored object by its name. */
export interface Fault {
  readonly kind: FaultKind
  readonly stream?: string
  readonly revision?: number
  readonly path?: string
  readonly object?: string
  readonly reason: string
}

export type Report = (fault: Fault) => void

/** The event that a fault is named by. */
export interface At {
  readonly stream: string
  readonly revision: number
}

/** `folder-…@57`. */
export const placeName = ({ stream, revision }: At): string => `${stream}@${revision}`
