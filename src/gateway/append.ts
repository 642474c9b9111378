import * as E from 'fp-ts/lib/Either.js'
import type { AppendError, EventLog, ExpectedRevision, LogPosition, NewEvent, ReadError, RecordedEvent } from '../eventlog/port.ts'
import type { Clock } from '../lib/clock.ts'
import type { DecodedEvent, Stopped } from '../projections/port.ts'
import { chainOf } from '../protocol/chain.ts'
import type { HeadOfStream } from '../domain/events.ts'

/** An event before it has a place; `decoded` where it is at hand. */
export interface Draft extends Omit<NewEvent, 'chain'> {
  readonly decoded?: DecodedEvent
}

/** Why nothing could be appended now. */
export type AppendFailure = { readonly tag: 'Full' | 'Unavailable' | 'Fault'; readonly reason: string }

export interface AppendDeps {
  readonly log: EventLog
  readonly clock: Clock
  readonly head: (stream: string) => HeadOfStream | undefined
  readonly know: (chain: string, decoded: DecodedEvent) => void
  /** Takes appended events into the projections; those that are in already change nothing. */
  readonly learn: (stream: string, events: readonly RecordedEvent[]) => Promise<E.Either<Stopped, void>>
}

export interface Written<A> {
  readonly result: A
  /** As they are in the log; none where nothing was to be appended. */
  readonly events: readonly RecordedEvent[]
  /** Where the stream ended before them; undefined: there was none. */
  readonly before: HeadOfStream | undefined
}

/** What is to be appended, decided over the projections as they are at the stream's head. */
export type Decide<L, A> = () => Promise<E.Either<L, { readonly drafts: readonly Draft[]; readonly result: A }>>

/**
 * Appends what `decide` says at a stream's head, and decides again when another gateway was there first. Callers see to it that one
 * append of a stream is under way at a time; the log's expected revision protects against all others.
 */
export interface Appender {
  append<L, A>(stream: string, decide: Decide<L, A>): Promise<E.Either<L | AppendFailure, Written<A>>>
  /** Resolves when the appends that are under way now have ended: nothing that was decided before is still to come. */
  settled(): Promise<void>
}

const MAX_CONFLICTS = 16
const MAX_UNKNOWN = 8
const FIRST_PAUSE_MS = 20
const READ_PAGE = 1024

export const createAppender = (deps: AppendDeps): Appender => {
  // Streams where an append came to an unknown end, and the revision from which on nobody here may have seen the log.
  const unsure = new Map<string, number>()
  const refresh = async (stream: string): Promise<E.Either<AppendFailure, void>> => {
    const read = await readTail(deps, stream, unsure.get(stream))
    if (E.isRight(read)) unsure.delete(stream)
    return E.mapLeft(toFailure)(read)
  }
  const appendOnce = async (
    stream: string,
    head: HeadOfStream | undefined,
    drafts: readonly Draft[],
  ): Promise<E.Either<AppendError, readonly RecordedEvent[]>> => {
    const { expected, events } = chained(deps, stream, head, drafts)
    const appended = await insist(deps, stream, expected, events)
    if (E.isLeft(appended)) {
      if (appended.left.tag === 'OutcomeUnknown') unsure.set(stream, (head?.revision ?? -1) + 1)
      return appended
    }
    return E.right(recorded(stream, head, events, appended.right.position))
  }
  const underWay = new Set<Promise<unknown>>()
  const run: Appender['append'] = async (stream, decide) => {
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
      if (conflicts > 0 || unsure.has(stream)) {
        const fresh = await refresh(stream)
        if (E.isLeft(fresh)) return fresh
      }
      const head = deps.head(stream)
      const decided = await decide()
      if (E.isLeft(decided)) return decided
      const { drafts, result } = decided.right
      if (drafts.length === 0) return E.right({ result, events: [], before: head })
      // Others' events may have come in meanwhile: what was decided holds at the head that it was decided over alone.
      if (deps.head(stream)?.revision !== head?.revision) continue
      const appended = await appendOnce(stream, head, drafts)
      if (E.isRight(appended)) {
        const learnt = await deps.learn(stream, appended.right)
        return E.isLeft(learnt) ? E.left(toFailure(learnt.left)) : E.right({ result, events: appended.right, before: head })
      }
      if (appended.left.tag !== 'Conflict') return E.left(toFailure(appended.left))
    }
    return E.left({ tag: 'Unavailable', reason: 'other gateways keep appending to the stream' })
  }
  return {
    append: (stream, decide) => {
      const running = run(stream, decide).finally(() => underWay.delete(running))
      underWay.add(running)
      return running
    },
    settled: async () => void (await Promise.allSettled([...underWay])),
  }
}

const chained = (
  { know }: AppendDeps,
  stream: string,
  head: HeadOfStream | undefined,
  drafts: readonly Draft[],
): { expected: ExpectedRevision; events: readonly NewEvent[] } => {
  let chain = head?.chain ?? ''
  let revision = head?.revision ?? -1
  const events = drafts.map((draft): NewEvent => {
    revision += 1
    const { id, type, data, metadata, decoded } = draft
    chain = chainOf(chain, { stream, revision, id, type, data, metadata })
    if (decoded !== undefined) know(chain, decoded)
    return { id, type, data, metadata, chain }
  })
  return { expected: head?.revision ?? 'none', events }
}

const recorded = (
  stream: string,
  head: HeadOfStream | undefined,
  events: readonly NewEvent[],
  position: LogPosition,
): readonly RecordedEvent[] => {
  const first = (head?.revision ?? -1) + 1
  return events.map((event, index) => ({ ...event, stream, revision: first + index, position }))
}

/** After an unknown outcome, the same again with the same ids: the log answers as the first time (I5). */
const insist = async ({ log, clock }: AppendDeps, stream: string, expected: ExpectedRevision, events: readonly NewEvent[]) => {
  let unknown: AppendError | undefined
  for (let tries = 1; ; tries += 1) {
    const appended = await log.append(stream, expected, events)()
    if (E.isRight(appended) || !isOpen(appended.left, unknown)) return appended
    // A server that is away now tells nothing of what it took before.
    unknown ??= appended.left
    if (tries === MAX_UNKNOWN) return E.left(unknown)
    await clock.sleep(FIRST_PAUSE_MS * 2 ** (tries - 1))
  }
}

const isOpen = ({ tag }: AppendError, before: AppendError | undefined): boolean =>
  tag === 'OutcomeUnknown' || (before !== undefined && (tag === 'Unavailable' || tag === 'Full'))

const readTail = async (
  { log, head, learn }: AppendDeps,
  stream: string,
  from: number | undefined,
): Promise<E.Either<ReadError | Stopped, void>> => {
  for (let next = from ?? (head(stream)?.revision ?? -1) + 1; ;) {
    const page = await log.read(stream, next, READ_PAGE)()
    if (E.isLeft(page)) return page
    if (page.right.length === 0) return E.right(undefined)
    const learnt = await learn(stream, page.right)
    if (E.isLeft(learnt)) return learnt
    next += page.right.length
  }
}

const toFailure = (error: AppendError | ReadError | Stopped): AppendFailure => {
  switch (error.tag) {
    case 'Full':
    case 'Unavailable':
      return { tag: error.tag, reason: error.reason }
    case 'OutcomeUnknown':
      return { tag: 'Unavailable', reason: error.reason }
    case 'Conflict':
      return { tag: 'Unavailable', reason: 'another gateway appended first' }
    case 'Refused':
    case 'Stopped':
      return { tag: 'Fault', reason: error.reason }
  }
}
