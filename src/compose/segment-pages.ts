import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import * as E from 'fp-ts/lib/Either.js'
import type { KnownAgent } from '../audit/verify/people.ts'
import type { LogPages, SegmentPage } from '../audit/verify/verify.ts'
import type { AgentKey } from '../domain/events.ts'
import type { ScanPage } from '../eventlog/port.ts'
import { createRowsSum } from '../eventlog/sqlite-index-sum.ts'
import type { SqliteScan } from '../eventlog/sqlite-scan.ts'
import { workerUrl } from '../lib/worker-url.ts'
import type { SegmentAnswer, SegmentFiles, SegmentQuestion } from './segment-worker.ts'

/** Records of a segment: what passes between threads, and what is read again where something is wrong. */
const ROWS = 256
/** A shorter log is read sooner than threads are started. */
const FROM_ROWS = 8192
/** Each takes some 50 MiB. */
const MAX_THREADS = 4
/** What waits for each thread, so that none waits. */
const QUEUED = 2

/** Of a thread: what it reads dies young. */
const YOUNG_MIB = 6

type Known = () => ReadonlyMap<AgentKey, KnownAgent>

export interface SegmentOptions {
  readonly rows?: number
  readonly fromRows?: number
}

/** The pages of an embedded log, checked in segments by threads on all cores; where its database is damaged, read from there on by this one. */
export const segmentPages =
  (scan: SqliteScan, files: SegmentFiles, { rows = ROWS, fromRows = FROM_ROWS }: SegmentOptions = {}): LogPages =>
  (known) => {
    const end = scan.end() ?? 0
    return end < fromRows ? scan.pages() : pagesInSegments(scan, files, known, rows, end)
  }

/** The first records are read here: they tell of the agents whose signatures the threads will check. */
async function* pagesInSegments(scan: SqliteScan, files: SegmentFiles, known: Known, rows: number, end: number): ReturnType<LogPages> {
  await using threads = new Threads(files, known)
  const sum = createRowsSum()
  let last = 0
  for (const page of scan.between(0, scan.segmentEnd(rows), sum)) {
    yield E.right(page)
    last = page.last
  }
  const begun: Segment[] = []
  for (let next = last; ;) {
    while (next < end && begun.length < threads.size * QUEUED) {
      // What is appended meanwhile is read at the end.
      const [from, to] = [next, Math.min(end, scan.segmentEnd(next + rows))]
      begun.push({ from, to, answer: threads.ask(from, to) })
      next = to
    }
    const segment = begun.shift()
    const answer = await segment?.answer
    if (segment === undefined || answer?.sum === undefined) break
    sum.merge(answer.sum)
    last = segment.to
    yield* pagesOf(scan, segment, answer.segment)
  }
  yield* scan.pagesAfter(last, sum)
}

interface Segment {
  readonly from: number
  readonly to: number
  readonly answer: Promise<SegmentAnswer>
}

function* pagesOf(
  scan: SqliteScan,
  { from, to }: Segment,
  segment: SegmentAnswer['segment'],
): Generator<E.Either<never, ScanPage | SegmentPage>> {
  const again = () => scan.between(from, to, createRowsSum())
  if (segment !== undefined) yield E.right({ segment, again })
  else for (const page of again()) yield E.right(page)
}

const NO_ANSWER: SegmentAnswer = { sum: undefined, segment: undefined }

interface Thread {
  readonly worker: Worker
  readonly asked: ((answer: SegmentAnswer) => void)[]
  /** How many agents it has been told of. */
  told: number
  ended: boolean
}

/** The threads that check segments; what one that fails was asked has no answer. */
class Threads implements AsyncDisposable {
  readonly #threads: readonly Thread[]
  readonly #known: Known

  constructor(files: SegmentFiles, known: Known) {
    this.#known = known
    this.#threads = Array.from({ length: Math.min(MAX_THREADS, availableParallelism()) }, () => startThread(files))
  }

  get size(): number {
    return this.#threads.length
  }

  ask(from: number, to: number): Promise<SegmentAnswer> {
    const [first, ...rest] = this.#threads
    if (first === undefined) return Promise.resolve(NO_ANSWER)
    const thread = rest.reduce((least, each) => (each.asked.length < least.asked.length ? each : least), first)
    if (thread.ended) return Promise.resolve(NO_ANSWER)
    const agents = [...this.#known()].slice(thread.told).map(([agent, { publicKey }]) => [agent, publicKey] as const)
    thread.told += agents.length
    const question: SegmentQuestion = { from, to, agents }
    return new Promise((resolve) => {
      thread.asked.push(resolve)
      thread.worker.postMessage(question, [])
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()))
  }
}

const startThread = (files: SegmentFiles): Thread => {
  const worker = new Worker(workerUrl('./segment-worker', import.meta.url), {
    workerData: files,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
  })
  const thread: Thread = { worker, asked: [], told: 0, ended: false }
  const end = (): void => {
    thread.ended = true
    for (const resolve of thread.asked.splice(0)) resolve(NO_ANSWER)
  }
  worker.on('message', (answer: SegmentAnswer) => thread.asked.shift()?.(answer))
  worker.on('error', end)
  worker.on('exit', end)
  return thread
}
