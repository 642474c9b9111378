import type * as TE from 'fp-ts/lib/TaskEither.js'
import * as E from 'fp-ts/lib/Either.js'
import { type Placing, place, refusal } from './checks.ts'
import { type Bell, createBell, follow } from './follow.ts'
import type { Appended, AppendError, EventLog, ExpectedRevision, LogPosition, NewEvent, ReadError, RecordedEvent } from './port.ts'

/** What becomes of one append; the two kinds of `unknown` give the same answer. */
export type AppendOutcome = 'ok' | 'unknown-but-written' | 'unknown-not-written' | 'unavailable' | 'full'

export interface MemoryLogOptions {
  /** Called before an append becomes visible; where it throws, nothing is appended. Not called for an append that is there already. */
  readonly onAppend?: (stream: string, events: readonly RecordedEvent[]) => void
  /** Decides over each append that is not refused; one that it answers with a promise waits, and others may come before it. */
  readonly outcome?: (stream: string, events: readonly NewEvent[]) => AppendOutcome | Promise<AppendOutcome>
  /** Whether a read (`read`, `last`, `readAll`) fails. */
  readonly unreadable?: () => boolean
}

const SUBSCRIPTION_BATCH = 256

const FAULTS: Record<Exclude<AppendOutcome, 'ok'>, AppendError> = {
  'unknown-but-written': { tag: 'OutcomeUnknown', reason: 'injected' },
  'unknown-not-written': { tag: 'OutcomeUnknown', reason: 'injected' },
  unavailable: { tag: 'Unavailable', reason: 'injected' },
  full: { tag: 'Full', reason: 'injected' },
}

const CLOSED = { tag: 'Unavailable', reason: 'the log is closed' } as const

/** What logs opened over it share, as those over one file would. An event's order is its place in `all`, from 1. */
export interface MemoryStorage {
  readonly all: RecordedEvent[]
  readonly streams: Map<string, RecordedEvent[]>
  readonly bell: Bell
}

export const createMemoryStorage = (): MemoryStorage => ({ all: [], streams: new Map(), bell: createBell() })

const record = ({ all }: MemoryStorage, stream: string, revision: number, events: readonly NewEvent[]): readonly RecordedEvent[] =>
  events.map((event, index) => {
    const order = all.length + index + 1
    return { ...event, stream, revision: revision + index, position: { order: BigInt(order), token: String(order) } }
  })

const placeIn = ({ streams }: MemoryStorage, stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Placing => {
  const old = streams.get(stream) ?? []
  return place(old.at(-1)?.revision ?? 'none', expected, events, (revision) => old[revision]?.id ?? '')
}

type Append = (stream: string, expected: ExpectedRevision, events: readonly NewEvent[]) => E.Either<AppendError, Appended>

const appendTo =
  (storage: MemoryStorage, onAppend: MemoryLogOptions['onAppend']): Append =>
  (stream, expected, events) => {
    const placing = placeIn(storage, stream, expected, events)
    if (placing.tag === 'Conflict') return E.left(placing)
    const old = storage.streams.get(stream) ?? []
    const revision = placing.revision + events.length - 1
    if (placing.tag === 'append') {
      const recorded = record(storage, stream, placing.revision, events)
      onAppend?.(stream, recorded)
      storage.all.push(...recorded)
      storage.streams.set(stream, old)
      old.push(...recorded)
      storage.bell.ring()
    }
    // Written a moment ago, or, as `place` found, long before.
    return E.right({ revision, position: (old[revision] as RecordedEvent).position })
  }

const slice = (events: readonly RecordedEvent[], from: number, max: number): readonly RecordedEvent[] => {
  const start = Math.max(0, from)
  return events.slice(start, start + Math.max(0, max))
}

const withFate = (fate: AppendOutcome, write: () => E.Either<AppendError, Appended>): E.Either<AppendError, Appended> => {
  if (fate === 'ok') return write()
  if (fate === 'unknown-but-written') write()
  return E.left(FAULTS[fate])
}

/** An event log in memory, for tests and the model: the promises of the port as far as memory lasts, and faults on demand. */
export const createMemoryLog = (options: MemoryLogOptions = {}, storage: MemoryStorage = createMemoryStorage()): EventLog => {
  const { onAppend, outcome = () => 'ok', unreadable = () => false } = options
  const closing = new AbortController()
  const append = appendTo(storage, onAppend)
  const page = (after: bigint, max = SUBSCRIPTION_BATCH) => slice(storage.all, Number(after), max)
  const orderOf = (after: LogPosition | 'start'): bigint => (after === 'start' ? 0n : after.order)
  const reading =
    <A>(read: () => A): TE.TaskEither<ReadError, A> =>
    async () => {
      if (closing.signal.aborted) return E.left(CLOSED)
      return unreadable() ? E.left({ tag: 'Unavailable', reason: 'injected' }) : E.right(read())
    }
  return {
    append: (stream, expected, events) => async () => {
      const reason = refusal(stream, expected, events)
      if (reason !== undefined) return E.left({ tag: 'Refused', reason })
      const fate = await outcome(stream, events)
      return closing.signal.aborted ? E.left(CLOSED) : withFate(fate, () => append(stream, expected, events))
    },
    read: (stream, from, max) => reading(() => slice(storage.streams.get(stream) ?? [], from, max)),
    last: (stream) => reading(() => storage.streams.get(stream)?.at(-1)),
    readAll: (after, max) => reading(() => page(orderOf(after), max)),
    at: ({ order }) => reading(() => storage.all[Number(order) - 1]),
    subscribe: (after, signal) =>
      follow({ page, after: orderOf(after), bell: storage.bell, signal: AbortSignal.any([signal, closing.signal]) }),
    [Symbol.asyncDispose]: async () => closing.abort(),
  }
}
