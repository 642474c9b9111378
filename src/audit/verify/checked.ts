import * as E from 'fp-ts/lib/Either.js'
import type { RecordedEvent } from '../../eventlog/port.ts'
import { decodeEmbedding } from '../../protocol/folder-event-codec.ts'
import type { Events } from './events.ts'
import type { At } from './fault.ts'
import type { FolderStream } from './folder.ts'
import { CHUNK_WORDS, CHUNKS, FLAGS, KEY_WORDS, MESSAGE, NO_FILE, OTHER, REVISION, STREAM, WHOLE, WORDS } from './records.ts'
import type { CheckedSegment } from './segment.ts'

/** Reads an event of the segment again. */
export type ReadAgain = (stream: string, revision: number) => RecordedEvent | undefined

/** Takes a segment that joins what was read: what is left to see of its events, in their order, told as if they had been read one by one. */
export const takeSegment = async (events: Events, segment: CheckedSegment, readAgain: ReadAgain): Promise<void> => {
  for (const part of segment.streams) events.streams.join(part)
  events.signatures.count(segment.signatures)
  const taking = new Taking(events, segment, readAgain)
  for (let at = 0; at < segment.records.length; at += WORDS) {
    const waiting = taking.take(at)
    if (waiting !== undefined) await waiting
    if (events.full) await events.room()
  }
}

class Taking {
  readonly #events: Events
  readonly #segment: CheckedSegment
  readonly #readAgain: ReadAgain
  #whole = 0
  #messages = 0
  #chunks = 0

  constructor(events: Events, segment: CheckedSegment, readAgain: ReadAgain) {
    this.#events = events
    this.#segment = segment
    this.#readAgain = readAgain
  }

  /** The event of a record; a promise where something has to be looked up. */
  take(at: number): Promise<void> | undefined {
    const { records } = this.#segment
    const flags = records[at + FLAGS] ?? 0
    if ((flags & OTHER) !== 0) return this.#events.takeNext(this.#nextWhole())
    const stream = this.#segment.streams[records[at + STREAM] ?? 0]?.stream ?? ''
    const revision = records[at + REVISION] ?? 0
    const folder = this.#events.folder(stream)
    const place = { stream, revision }
    if ((flags & WHOLE) !== 0) return this.#judge(folder, this.#nextWhole(), flags)
    const named = this.#nameChunks(stream, revision, records[at + CHUNKS] ?? 0)
    if (!named) return this.#again(folder, place, (event) => this.#judge(folder, event, flags))
    this.#takeMessage(folder, place, flags)
    if ((flags & NO_FILE) !== 0 || folder.takeRecord(records, at)) return undefined
    return this.#again(folder, place, (event) => folder.judge(event, embeddingOf(event)))
  }

  #nextWhole(): RecordedEvent {
    const event = this.#segment.whole[this.#whole]
    this.#whole += 1
    if (event === undefined) throw new Error('a segment of the log has fewer events than it tells of')
    return event
  }

  #takeMessage(folder: FolderStream, { stream, revision }: At, flags: number): void {
    const message = (flags & MESSAGE) === 0 ? undefined : this.#segment.messages[this.#messages]
    if (message === undefined) return
    this.#messages += 1
    folder.takeMessage({ stream, revision }, message)
  }

  /** False: some chunk is known by another size. */
  #nameChunks(stream: string, revision: number, count: number): boolean {
    const { chunks } = this.#segment
    let right = true
    for (let chunk = 0; chunk < count; chunk += 1) {
      const at = this.#chunks
      this.#chunks += CHUNK_WORDS
      const key = chunks.subarray(at, at + KEY_WORDS)
      if (!this.#events.contents.nameKey(key, chunks[at + KEY_WORDS] ?? 0, stream, revision)) right = false
    }
    return right
  }

  #judge(folder: FolderStream, event: RecordedEvent, flags: number): Promise<void> | undefined {
    const embedding = embeddingOf(event)
    this.#events.takeContent(event, embedding)
    this.#takeMessage(folder, event, flags)
    return folder.judge(event, embedding)
  }

  #again(folder: FolderStream, at: At, judge: (event: RecordedEvent) => Promise<void> | undefined): Promise<void> | undefined {
    const event = this.#readAgain(at.stream, at.revision)
    if (event !== undefined) return judge(event)
    this.#events.report({ kind: 'unreadable', ...at, reason: 'it was read once, and cannot be read again' })
    folder.lose(at)
    return undefined
  }
}

const embeddingOf = (event: RecordedEvent) => {
  const decoded = decodeEmbedding(event)
  if (E.isLeft(decoded)) throw new Error('an event of a checked segment cannot be decoded')
  return decoded.right
}
