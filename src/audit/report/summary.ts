import type { FolderEvent } from '../../domain/events.ts'
import { isConflictName } from '../../domain/conflict-name.ts'
import { nameOf } from '../../domain/path.ts'
import type { HistoryEvent } from '../../projections/history/port.ts'

/** What one sender did, or all together. */
export interface Tally {
  created: number
  updated: number
  moved: number
  deleted: number
  /** Copies that were kept because two devices had changed one file. */
  conflicts: number
  /** Deletions that waited for a person's word, and those that got it. */
  held: number
  approved: number
  /** Of the contents that came to be, whether they were stored already or not. */
  bytes: number
}

export const emptyTally = (): Tally => ({ created: 0, updated: 0, moved: 0, deleted: 0, conflicts: 0, held: 0, approved: 0, bytes: 0 })

/** One stretch of time of the whole span. */
export interface Stretch {
  readonly from: number
  readonly tally: Tally
}

export interface Summary {
  readonly total: Tally
  /** By agent's key or, where there is none, account or proof. */
  readonly senders: ReadonlyMap<string, { readonly first: HistoryEvent; readonly tally: Tally }>
  readonly stretches: readonly Stretch[]
}

const HOUR_MS = 60 * 60 * 1000
/** As many as a page shows side by side. */
const MAX_STRETCHES = 96
const LENGTHS = [HOUR_MS / 4, HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS, 7 * 24 * HOUR_MS, 28 * 24 * HOUR_MS]

/** How long each stretch of a timeline is. */
export const stretchOf = (from: number, to: number): number =>
  LENGTHS.find((length) => (to - from) / length <= MAX_STRETCHES) ?? Math.ceil((to - from) / MAX_STRETCHES)

const COUNTED: Partial<Record<FolderEvent['type'], 'created' | 'updated' | 'moved' | 'deleted'>> = {
  FileCreated: 'created',
  FileUpdated: 'updated',
  FileMoved: 'moved',
  FileDeleted: 'deleted',
}

/** How many deletions an event that is about no path speaks of. */
const countIn = (detail: string | undefined): number => {
  const told: unknown = detail === undefined ? undefined : JSON.parse(detail)
  return typeof told === 'object' && told !== null && 'count' in told && typeof told.count === 'number' ? told.count : 0
}

const add = (tally: Tally, { type, path, content, detail }: HistoryEvent): void => {
  const counted = COUNTED[type]
  if (counted !== undefined) tally[counted] += 1
  if (type === 'FileCreated' && path !== undefined && isConflictName(nameOf(path))) tally.conflicts += 1
  if (type === 'FileCreated' || type === 'FileUpdated') tally.bytes += content?.size ?? 0
  if (type === 'DeletionHeld') tally.held += countIn(detail)
  if (type === 'DeletionApproved') tally.approved += countIn(detail)
}

export const senderOf = ({ agent, account, proof }: HistoryEvent): string => agent ?? account ?? proof

/** Sums events up; memory grows with senders and stretches alone (I16). */
export const createSummary = (from: number, to: number) => {
  const length = stretchOf(from, to)
  const total = emptyTally()
  const senders = new Map<string, { readonly first: HistoryEvent; readonly tally: Tally }>()
  const stretches = Array.from({ length: Math.max(1, Math.ceil((to - from) / length)) }, (_, at) => ({
    from: from + at * length,
    tally: emptyTally(),
  }))
  return {
    add: (event: HistoryEvent): void => {
      const sender = senders.get(senderOf(event)) ?? { first: event, tally: emptyTally() }
      senders.set(senderOf(event), sender)
      add(total, event)
      add(sender.tally, event)
      // A clock that was set back may name a moment outside.
      const stretch = stretches[Math.min(stretches.length - 1, Math.max(0, Math.floor((event.time - from) / length)))]
      if (stretch !== undefined) add(stretch.tally, event)
    },
    summary: (): Summary => ({ total, senders, stretches }),
  }
}
