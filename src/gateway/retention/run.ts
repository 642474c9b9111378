import type { DatabaseSync } from 'node:sqlite'
import * as E from 'fp-ts/lib/Either.js'
import type { StoreError, SweptStore } from '../../blobstore/port.ts'
import type { RetentionEvent, RetentionRunEvent } from '../../domain/events.ts'
import type { LogPosition } from '../../eventlog/port.ts'
import { encodeMetadata } from '../../protocol/event-codec.ts'
import { uuidV5 } from '../../protocol/event-ids.ts'
import { encodeGatewayEvent } from '../../protocol/gateway-event-codec.ts'
import { GATEWAY, PACKS } from '../../protocol/streams.ts'
import type { AppendFailure } from '../append.ts'
import type { Core } from '../core.ts'
import { openLeaving, type Leaving, type LeavingObject } from './leaving.ts'
import { markSince, type MarkError, type MarkSource, type Marked } from './mark.ts'
import { openMarks, type Marks } from './marks.ts'
import type { RetentionPolicy } from './policy.ts'
import { rescueFrom } from './rescue.ts'
import { retentionDraft } from './retire.ts'
import { sortObjects } from './sort.ts'
import { weightsOf } from './weigh.ts'

export type RetentionCore = Pick<Core, 'appender' | 'chunks' | 'followed' | 'clock' | 'logger'> & { readonly blobs: SweptStore }

export type RetentionError = MarkError | StoreError | AppendFailure | { readonly tag: 'Waiting'; readonly reason: string }

export interface RetentionParts {
  readonly core: RetentionCore
  readonly source: MarkSource
  /** 16 hex digits, of no other run. */
  readonly run: string
  /** Marks the log into a database of this run's own, away from the gateway's thread. */
  readonly mark: (
    policy: RetentionPolicy,
    cutoff: number,
  ) => Promise<E.Either<MarkError, { readonly marked: Marked; readonly db: DatabaseSync }>>
  /** Resolves when every gateway has passed what is in the stream of packs now. */
  readonly passed: (stopped: () => boolean) => Promise<E.Either<RetentionError, void>>
}

export interface RetentionOptions {
  /** Looks, and changes nothing. */
  readonly dryRun: boolean
  /** Also packs that are needed for the most part are copied, without what may go. */
  readonly thorough: boolean
  readonly stopped: () => boolean
  readonly progress: (progress: RetentionProgress) => void
}

/** Objects, and the bytes that taking them away frees. */
export interface Freed {
  readonly objects: number
  readonly bytes: number
}

/** How far a run is. */
export type RetentionProgress =
  | ({ readonly tag: 'marked' } & Omit<Marked, 'position'>)
  /** Of packs that are mostly dead, in a dry run, less what moves. */
  | ({ readonly tag: 'retired' } & Freed)
  | ({ readonly tag: 'removed' } & Freed)

/** What a whole run did. */
export interface RetentionDone extends Freed, Omit<Marked, 'position'> {}

type Result<A> = Promise<E.Either<RetentionError, A>>

/**
 * Frees the contents that no kept version needs. Each step may be the last of a gateway that is killed: what is retired and not removed is removed by the
 * next run. Chunks are first counted as missing (PackRetiring), so that whoever names one has to send it again; when all that was decided before is in the
 * log, the log is marked once more, and what it names after all is taken out of the objects that go (I3, I6).
 */
export const runRetention = async (parts: RetentionParts, policy: RetentionPolicy, options: RetentionOptions): Result<RetentionDone> => {
  const { core, run } = parts
  const marking = await parts.mark(policy, core.clock.wall() - policy.keepSeconds * 1000)
  if (E.isLeft(marking)) return marking
  const { marked, db } = marking.right
  const { versions, released, position } = marked
  options.progress({ tag: 'marked', versions, released })
  const work: Work = { ...parts, marks: openMarks(db, policy, 0), leaving: openLeaving(db), weightOf: weightsOf(db), options }
  if (options.dryRun) return E.map((freed: Freed): RetentionDone => ({ ...freed, versions, released }))(await sortObjects(work))
  const freed = await free(work, policy, position)
  if (E.isLeft(freed)) return freed
  const ended = await tell(core, { type: 'RetentionEnded', run, ...freed.right })
  return E.map((): RetentionDone => ({ ...freed.right, versions, released }))(ended)
}

/** A run's parts, once the log is marked. */
export interface Work extends RetentionParts {
  readonly options: RetentionOptions
  readonly marks: Marks
  readonly leaving: Leaving
  readonly weightOf: ReturnType<typeof weightsOf>
}

const STOPPED: E.Either<RetentionError, never> = E.left({
  tag: 'Waiting',
  reason: 'it was stopped: what is retired already is removed by the next run',
})

const free = async (work: Work, policy: RetentionPolicy, marked: LogPosition | 'start'): Result<Freed> => {
  const { core, run, options } = work
  const begun = await tell(core, { type: 'RetentionStarted', run, ...policy })
  if (E.isLeft(begun)) return begun
  const sorted = await sortObjects(work)
  if (E.isLeft(sorted)) return sorted
  if (options.stopped()) return STOPPED
  const ready = await settle(work, marked)
  return E.isLeft(ready) ? ready : removeAll(work)
}

/** From here on nothing that goes is named by an event any more, or it is stored elsewhere. */
const settle = async (work: Work, since: LogPosition | 'start'): Result<void> => {
  await work.core.appender.settled()
  const passed = await work.passed(work.options.stopped)
  if (E.isLeft(passed)) return passed
  const marked = await markSince(work.source, work.marks, since)
  return E.isLeft(marked) ? marked : rescueFrom(work)
}

const PAGE = 256

const removeAll = async (work: Work): Result<Freed> => {
  let [objects, bytes, after] = [0, 0, 0]
  for (;;) {
    const page = work.leaving.list(after, PAGE)
    if (page.length === 0) return E.right({ objects, bytes })
    if (work.options.stopped()) return STOPPED
    const gone = await removePage(work, page)
    if (E.isLeft(gone)) return gone
    objects += page.length
    bytes += page.reduce((sum, each) => sum + each.bytes, 0)
    after = page.at(-1)?.id ?? after
    work.options.progress({ tag: 'removed', objects, bytes })
  }
}

/** First the objects, then the word that they are gone: a run that is cut off between the two removes them again. */
const removePage = async ({ core, run }: Work, page: readonly LeavingObject[]): Result<void> => {
  const removed = E.sequenceArray(await Promise.all(page.map(({ object }) => core.blobs.sweep.remove(object)())))
  if (E.isLeft(removed)) return removed
  const drafts = removedEvents(run, page).map((event) => retentionDraft(core, event))
  const told = await core.chunks.inTurn(() =>
    core.appender.append<never, undefined>(PACKS, async () => E.right({ drafts, result: undefined })),
  )
  return E.map(() => undefined)(told)
}

const removedEvents = (run: string, page: readonly LeavingObject[]): readonly RetentionEvent[] => {
  const own = page.flatMap(({ object, bytes }) => ('chunk' in object ? [{ hash: object.chunk, bytes }] : []))
  const packs = page.flatMap(({ object, bytes }): readonly RetentionEvent[] =>
    'pack' in object ? [{ type: 'PackRemoved', run, pack: object.pack, chunks: [], bytes }] : [],
  )
  if (own.length === 0) return packs
  const bytes = own.reduce((sum, each) => sum + each.bytes, 0)
  return [...packs, { type: 'PackRemoved', run, pack: null, chunks: own.map(({ hash }) => hash), bytes }]
}

const tell = async ({ appender, clock }: RetentionCore, event: RetentionRunEvent): Promise<E.Either<AppendFailure, void>> => {
  const draft = {
    id: uuidV5(`${event.type}/${event.run}`),
    ...encodeGatewayEvent(event),
    metadata: encodeMetadata({ time: clock.wall(), proof: 'gateway' }),
  }
  const told = await appender.append<never, undefined>(GATEWAY, async () => E.right({ drafts: [draft], result: undefined }))
  return E.map(() => undefined)(told)
}
