import { parentPort, workerData } from 'node:worker_threads'
import { segmentChecker, type CheckedSegment } from '../audit/verify/segment.ts'
import type { AgentKey } from '../domain/events.ts'
import type { Summed } from '../eventlog/sqlite-index-sum.ts'
import { openSegmentReads } from '../eventlog/sqlite-scan.ts'

export interface SegmentFiles {
  readonly log: string
  /** The revisions of streams up to which signatures were found right by an earlier run. */
  readonly trusted: ReadonlyMap<string, number>
}

/** The records after a position up to another. */
export interface SegmentQuestion {
  readonly from: number
  readonly to: number
  /** Agents that were not told of before, and their public keys. */
  readonly agents: readonly (readonly [AgentKey, string | null])[]
}

export interface SegmentAnswer {
  /** undefined: not all of its records can be read. */
  readonly sum: Summed | undefined
  /** undefined: something in it is wrong, or unusual. */
  readonly segment: CheckedSegment | undefined
}

// `segmentPages` gives it just this.
const { log, trusted } = workerData as SegmentFiles
const port = parentPort
if (port === null) throw new Error('this module is a worker thread')

const reads = openSegmentReads(log)
const keys = new Map<AgentKey, string | null>()
const check = segmentChecker({
  keyOf: (agent) => keys.get(agent),
  chainAt: reads.chainAt,
  isTrusted: (stream, revision) => revision <= (trusted.get(stream) ?? -1),
})

port.on('message', ({ from, to, agents }: SegmentQuestion) => {
  for (const [agent, key] of agents) keys.set(agent, key)
  const read = reads.between(from, to)
  const segment = read && check(read.events)
  const answer: SegmentAnswer = { sum: read?.sum, segment }
  port.postMessage(answer, segment === undefined ? [] : [segment.records.buffer, segment.chunks.buffer])
})
