import type { RecordedEvent } from '../../eventlog/port.ts'
import { chainOf } from '../../protocol/chain.ts'
import type { Report } from './fault.ts'
import type { StreamPart } from './segment.ts'

/** So many chains of a stream's latest events are at hand; older ones are read again. */
const RECENT = 1024

interface Stream {
  revision: number
  /** As the log holds it. */
  chain: string
  /** As it must be, where that is another one: only the next event shows whether the chain or its event was altered. */
  computed: string
  recent: string[]
}

const NOTHING = { revision: -1, chain: '', computed: '' }

/** What has been read of every stream: its last revision, and the chain up to there. */
export class Streams {
  readonly #streams = new Map<string, Stream>()
  readonly #report: Report
  events = 0

  constructor(report: Report) {
    this.#report = report
  }

  /** Checks that an event is the next of its stream, and its chain. False: something before it is missing. */
  take(event: RecordedEvent): boolean {
    const { stream: name, revision } = event
    this.events += 1
    const stream = this.#streams.get(name) ?? this.#begin(name)
    const follows = revision === stream.revision + 1
    if (follows) this.#checkChain(stream, event)
    else {
      this.#report({ kind: 'gap', stream: name, revision, reason: gapReason(stream.revision + 1, revision) })
      if (revision <= stream.revision) return false
      stream.computed = event.chain
    }
    stream.revision = revision
    stream.chain = event.chain
    stream.recent[revision % RECENT] = event.chain
    return follows
  }

  /** An event that is kept back: its chain is taken at its word, and what follows is checked against that. */
  pass({ stream: name, revision, chain }: RecordedEvent): void {
    const known = this.#streams.get(name)
    if (revision !== (known?.revision ?? -1) + 1)
      this.#report({ kind: 'gap', stream: name, revision, reason: gapReason((known?.revision ?? -1) + 1, revision) })
    else this.beginAt(name, revision, chain)
  }

  /** Whether the events of a segment (segment.ts), each of which follows the one before it there, follow what was read. */
  joins({ stream: name, first, previous }: StreamPart): boolean {
    const { revision, chain, computed } = this.#streams.get(name) ?? NOTHING
    // Where an event's chain was altered, the next one shows whether it alone was.
    return revision === first - 1 && chain === previous && computed === chain
  }

  /** Takes a segment's events that follow. */
  join({ stream: name, first, last, chain }: StreamPart): void {
    const stream = this.#streams.get(name) ?? this.#begin(name)
    this.events += last - first + 1
    stream.revision = last
    stream.chain = chain
    stream.computed = chain
    stream.recent = []
  }

  /** A stream that an export holds from the middle on. */
  beginAt(name: string, revision: number, chain: string): void {
    this.#streams.set(name, { revision, chain, computed: chain, recent: [] })
  }

  head(name: string): { readonly revision: number; readonly chain: string } | undefined {
    return this.#streams.get(name)
  }

  names(): IterableIterator<string> {
    return this.#streams.keys()
  }

  heads(): readonly { readonly stream: string; readonly revision: number; readonly chain: string }[] {
    return [...this.#streams].map(([stream, { revision, chain }]) => ({ stream, revision, chain }))
  }

  /** The chain at a revision that was read; undefined where it is too long ago. */
  chainAt(name: string, revision: number): string | undefined {
    const stream = this.#streams.get(name)
    if (stream === undefined || revision > stream.revision || revision <= stream.revision - RECENT) return undefined
    return stream.recent[revision % RECENT]
  }

  #begin(name: string): Stream {
    const stream: Stream = { revision: -1, chain: '', computed: '', recent: [] }
    this.#streams.set(name, stream)
    return stream
  }

  #checkChain(stream: Stream, event: RecordedEvent): void {
    const next = chainOf(stream.chain, event)
    if (next === event.chain) {
      stream.computed = next
      return
    }
    // Where the chain before was altered, and not its event, this one follows what it must have been.
    const other = stream.computed === stream.chain ? next : chainOf(stream.computed, event)
    if (other === event.chain) {
      stream.recent[stream.revision % RECENT] = stream.computed
      stream.computed = other
      return
    }
    stream.computed = other
    this.#report({
      kind: 'chain',
      stream: event.stream,
      revision: event.revision,
      reason: 'its chain is not that of its fields and of the event before it: one of them was altered',
    })
  }
}

const gapReason = (expected: number, found: number): string => {
  if (found < expected) return 'the revision is there again: an event was doubled, or put into another place'
  return found === expected + 1
    ? `revision ${expected} is missing before it`
    : `revisions ${expected} to ${found - 1} are missing before it`
}
