import * as E from 'fp-ts/lib/Either.js'
import type { StoredObjects } from '../../blobstore/port.ts'
import { isFileEvent } from '../../domain/tree.ts'
import type { AgentKey } from '../../domain/events.ts'
import type { LogScan, ReadError, RecordedEvent, ScanPage } from '../../eventlog/port.ts'
import { decodeFolderEvent, decodePacksEvent } from '../../protocol/event-codec.ts'
import { PACKS } from '../../protocol/streams.ts'
import { takeSegment } from './checked.ts'
import type { Claim } from './claims.ts'
import { Events } from './events.ts'
import type { FaultKind, Report } from './fault.ts'
import { verifyObjects, type ObjectTotals } from './objects.ts'
import type { KnownAgent } from './people.ts'
import type { Head, Resumed } from './resume.ts'
import type { CheckedSegment } from './segment.ts'
import type { VerifySignature } from './signatures.ts'

export interface Progress {
  readonly events: number
  readonly objects: number
  readonly bytes: number
}

/** Events that were checked for themselves beside the reading of the log (segment.ts), and what reads them again where that is not enough. */
export interface SegmentPage {
  readonly segment: CheckedSegment
  readonly again: () => readonly ScanPage[]
}

/** The whole log in its order, of which segments may have been checked already; `known`: the agents enrolled as far as it has been read. */
export type LogPages = (known: () => ReadonlyMap<AgentKey, KnownAgent>) => AsyncIterable<E.Either<ReadError, ScanPage | SegmentPage>>

export interface VerifyDeps {
  readonly scan: LogScan
  /** Where the log is read beside this thread; undefined: `scan` reads it. */
  readonly pages?: LogPages
  /** undefined: contents are not looked at. */
  readonly objects: StoredObjects | undefined
  readonly verifySignature: VerifySignature
  /** The gateway's key as it is known from outside; undefined: the first of its checkpoints tells it. */
  readonly gatewayKey: string | undefined
  /** Words from outside: exported checkpoints, devices' witnesses. */
  readonly claims: readonly Claim[]
  /** What an earlier run has seen. */
  readonly resumed: Resumed | undefined
  /** Whether all stored bytes are read. */
  readonly contents: boolean
  /** Of a log that is read through a gateway: whose account it is, and the events that the gateway keeps back. */
  readonly through?: { readonly email: string; readonly isWithheld: (event: RecordedEvent) => boolean }
  readonly report: Report
  readonly progress: (progress: Progress) => void
  /** Called now and then, as long as nothing was found wrong: the heads of all streams up to where everything has been checked, and the parts of the store that were read. */
  readonly save: (resumed: Resumed) => void
}

/** What was looked at, and how much of each kind was found. */
export interface Totals extends Progress {
  readonly streams: number
  readonly signatures: number
  readonly paths: number
  readonly chunks: number
  /** Chunks that retention has let go. */
  readonly released: number
  /** Events that are proved by a password alone. */
  readonly passwords: number
  /** From where on what the gateway added could not be judged, since something before it is missing. */
  readonly unjudged: readonly string[]
  readonly heads: readonly Head[]
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>
}

/** How many events pass between two savings of the state. */
const SAVE_EVERY = 200_000
/** And how many parts of the store. */
const SAVE_PARTS = 32

/** Verifies a whole log, and what it says is stored. Every fault is told as it is found; left: the log is out of reach. Throws where the store can't be listed. */
export const verifyLog = async (deps: VerifyDeps): Promise<E.Either<ReadError, Totals>> => {
  const { scan, resumed } = deps
  const counted = countFaults(deps.report)
  const trusted = new Map(resumed?.heads.map(({ stream, revision }) => [stream, revision]))
  const events = new Events({
    report: counted.report,
    verifySignature: deps.verifySignature,
    event: (stream, revision) => scan.event(stream, revision),
    objects: deps.objects,
    isTrusted: (stream, revision) => revision <= (trusted.get(stream) ?? -1),
    gatewayKey: deps.gatewayKey,
  })
  if (deps.through !== undefined) events.people.knowAccount(deps.through.email)
  for (const claim of deps.claims) events.claims.take(claim)
  for (const head of resumed?.heads ?? []) events.claims.take({ ...head, kind: 'checkpoint', by: 'the run that this one goes on from' })
  const read = await readAll(deps, events, counted.none)
  if (E.isLeft(read)) return read
  await events.finish()
  const objects = await lookAtObjects(deps, events, counted.report, counted.none)
  return E.right(totalsOf(events, objects, counted.faults))
}

const readAll = async (deps: VerifyDeps, events: Events, isWhole: () => boolean): Promise<E.Either<ReadError, void>> => {
  let saved = 0
  for await (const page of deps.pages?.(() => events.people.agents) ?? deps.scan.pages()) {
    if (E.isLeft(page)) return page
    if ('segment' in page.right) await takeSegmentPage(deps, events, page.right)
    else await takePage(deps, events, page.right)
    const read = events.streams.events
    deps.progress({ events: read, objects: 0, bytes: 0 })
    if (read - saved < SAVE_EVERY) continue
    saved = read
    const heads = events.streams.heads().map((head) => ({ ...head }))
    await events.signatures.until(0)
    await events.claims.settled()
    if (isWhole())
      deps.save({ heads: heads.map(({ stream, revision, chain }) => ({ stream, revision, chain })), parts: deps.resumed?.parts ?? [] })
  }
  return E.right(undefined)
}

const takePage = async (deps: VerifyDeps, events: Events, page: ScanPage): Promise<void> => {
  for (const { kind, at, reason } of page.damage) tellDamage(deps, events, { kind, reason }, at)
  for (const event of page.events) {
    if (deps.through?.isWithheld(event) === true) {
      events.streams.pass(event)
      continue
    }
    const waiting = events.take(event)
    if (waiting !== undefined) await waiting
    if (events.full) await events.room()
  }
}

const takeSegmentPage = async (deps: VerifyDeps, events: Events, { segment, again }: SegmentPage): Promise<void> => {
  if (!events.joins(segment)) {
    for (const page of again()) await takePage(deps, events, page)
    return
  }
  let pages: readonly ScanPage[] | undefined
  await takeSegment(events, segment, (stream, revision) => {
    pages ??= again()
    return pages.flatMap((page) => page.events).find((event) => event.stream === stream && event.revision === revision)
  })
}

const tellDamage = (
  { report }: VerifyDeps,
  events: Events,
  damage: { readonly kind: FaultKind; readonly reason: string },
  at: { readonly stream: string; readonly revision: number } | undefined,
): void => {
  report({ ...damage, ...at })
  if (at?.stream.startsWith('folder-') === true) events.folder(at.stream).lose(at)
}

const NOTHING: ObjectTotals = { objects: 0, bytes: 0, released: 0 }

const lookAtObjects = async (deps: VerifyDeps, events: Events, report: Report, isWhole: () => boolean): Promise<ObjectTotals> => {
  const { objects, scan, resumed } = deps
  if (objects === undefined) return NOTHING
  const done = new Set(resumed?.parts)
  const pathOf = async (stream: string, revision: number): Promise<string | undefined> => {
    const recorded = await scan.event(stream, revision)
    const decoded = recorded === undefined ? undefined : decodeFolderEvent(recorded)
    return decoded !== undefined && E.isRight(decoded) && isFileEvent(decoded.right) ? decoded.right.path : undefined
  }
  return verifyObjects({
    objects,
    contents: events.contents,
    report,
    event: (stream, revision) => scan.event(stream, revision),
    pathOf,
    readAll: deps.contents,
    catchUp: () => catchUp(deps, events),
    isRead: (part) => done.has(part),
    progress: (count, bytes, part) => {
      deps.progress({ events: events.streams.events, objects: count, bytes })
      if (!deps.contents) return
      done.add(part)
      if (isWhole() && (done.size % SAVE_PARTS === 0 || done.size === objects.parts.length))
        deps.save({ heads: events.streams.heads(), parts: [...done] })
    },
  })
}

/** What was stored since is not of this verification; what was let go is. */
const catchUp = async ({ scan }: VerifyDeps, { streams, contents }: Events): Promise<void> => {
  for (let revision = (streams.head(PACKS)?.revision ?? -1) + 1; ; revision += 1) {
    const recorded = await scan.event(PACKS, revision)
    const decoded = recorded === undefined ? undefined : decodePacksEvent(recorded)
    if (decoded === undefined || E.isLeft(decoded)) return
    const event = decoded.right
    if (event.type === 'PackStored') contents.packed(event, revision, 0, true)
    else if (event.type === 'PackRetiring') contents.retire(event.pack, event.chunks)
  }
}

const countFaults = (report: Report) => {
  const faults: Partial<Record<FaultKind, number>> = {}
  return {
    faults,
    none: () => Object.keys(faults).length === 0,
    report: (fault: Parameters<Report>[0]): void => {
      faults[fault.kind] = (faults[fault.kind] ?? 0) + 1
      report(fault)
    },
  }
}

const totalsOf = (events: Events, { objects, bytes, released }: ObjectTotals, faults: Totals['faults']): Totals => ({
  events: events.streams.events,
  objects,
  bytes,
  streams: events.streams.heads().length,
  signatures: events.signatures.checked,
  paths: events.trees.size,
  chunks: events.contents.chunks,
  released,
  passwords: events.passwords,
  unjudged: events.unjudged,
  heads: events.streams.heads(),
  faults,
})
