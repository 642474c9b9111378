import { randomUUID } from 'node:crypto'

/** A record as the server keeps it. */
export interface Stored {
  readonly stream: string
  readonly revision: number
  /** Where it lies: the server's positions are offsets in its files. */
  readonly position: bigint
  readonly id: string
  readonly type: string
  readonly contentType: string
  readonly data: Uint8Array
  readonly metadata: Uint8Array
}

export type Proposed = Pick<Stored, 'id' | 'type' | 'contentType' | 'data' | 'metadata'>

export type Expected = number | 'none' | 'any' | 'exists'

export type Appended =
  | { readonly tag: 'ok'; readonly revision: number; readonly position: bigint }
  | { readonly tag: 'wrong'; readonly actual: number | 'none' }
  | { readonly tag: 'deleted' }

interface Stream {
  readonly records: Stored[]
  /** Records before this one are gone: the stream was deleted softly. */
  from: number
  tombstoned: boolean
}

/** What a server holds; it outlives the server's restarts. */
export class Storage {
  readonly all: Stored[] = []
  readonly #streams = new Map<string, Stream>()
  #end = 0n
  readonly #waiting = new Set<() => void>()

  constructor() {
    // A real server's own events lie among everybody's.
    for (const stream of ['$settings', '$$$scavenges', '$stats-127.0.0.1:2113']) this.append(stream, 'any', [ownEvent(stream)])
  }

  append(name: string, expected: Expected, events: readonly Proposed[]): Appended {
    const stream = this.#streams.get(name)
    if (stream?.tombstoned === true) return { tag: 'deleted' }
    const records = stream?.records ?? []
    const last = records.length - 1
    const gone = stream !== undefined && stream.from > last
    if (expected === 'any') return this.#again(records, last, events) ?? this.#write(name, events)
    if (expected === 'exists') return last < 0 || gone ? { tag: 'wrong', actual: 'none' } : this.#write(name, events)
    const at = expected === 'none' ? 0 : expected + 1
    if (at === last + 1 || (gone && expected === 'none')) return this.#write(name, events)
    const present = records.slice(at, at + events.length)
    const same = present.length === events.length && events.every(({ id }, index) => present[index]?.id === id)
    const end = present.at(-1)
    return same && end !== undefined
      ? { tag: 'ok', revision: end.revision, position: end.position }
      : { tag: 'wrong', actual: last < 0 ? 'none' : last }
  }

  /** With `any` an append counts as there already only by its ids. */
  #again(records: readonly Stored[], last: number, events: readonly Proposed[]): Appended | undefined {
    const tail = records.slice(last + 1 - events.length)
    const end = tail.at(-1)
    if (end === undefined || tail.length < events.length || !events.every(({ id }, index) => tail[index]?.id === id)) return undefined
    return { tag: 'ok', revision: end.revision, position: end.position }
  }

  #write(name: string, events: readonly Proposed[]): Appended {
    const stream = this.#streams.get(name) ?? { records: [], from: 0, tombstoned: false }
    this.#streams.set(name, stream)
    let position = this.#end
    for (const event of events) {
      position = this.#end
      const record = { ...event, stream: name, revision: stream.records.length, position }
      stream.records.push(record)
      this.all.push(record)
      this.#end += BigInt(128 + event.data.length + event.metadata.length)
    }
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
    return { tag: 'ok', revision: stream.records.length - 1, position }
  }

  /** Undefined: not there, or deleted softly. */
  read(name: string): readonly Stored[] | 'deleted' | undefined {
    const stream = this.#streams.get(name)
    if (stream?.tombstoned === true || (name.startsWith('$$') && this.read(name.slice(2)) === 'deleted')) return 'deleted'
    const visible = stream?.records.slice(stream.from)
    return visible === undefined || visible.length === 0 ? undefined : visible
  }

  /** The index in `all` of the first record at a place or after it; undefined where no record lies there. */
  indexAt(position: bigint): number | undefined {
    let low = 0
    let high = this.all.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.all[middle]?.position ?? 0n) < position) low = middle + 1
      else high = middle
    }
    return this.all[low]?.position === position ? low : undefined
  }

  /** As an operator deletes a stream: it can begin again, and its numbers go on. */
  deleteSoftly(name: string): void {
    const stream = this.#streams.get(name)
    if (stream === undefined) return
    stream.from = stream.records.length
    this.append(`$$${name}`, 'any', [ownEvent('$metadata')])
  }

  tombstone(name: string): void {
    const stream = this.#streams.get(name)
    if (stream !== undefined) stream.tombstoned = true
  }

  /** Resolves at the next append. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve))
  }
}

const ownEvent = (stream: string): Proposed => ({
  id: randomUUID(),
  type: stream === '$metadata' ? '$metadata' : '$own',
  contentType: 'application/json',
  data: new TextEncoder().encode('{}'),
  metadata: new Uint8Array(),
})
