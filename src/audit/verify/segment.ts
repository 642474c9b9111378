import * as E from 'fp-ts/lib/Either.js'
import type { AccountId, AgentKey, FolderId } from '../../domain/events.ts'
import { isFileEvent } from '../../domain/tree.ts'
import type { RecordedEvent } from '../../eventlog/port.ts'
import type { EventMetadata } from '../../protocol/event-codec.ts'
import { embeddedText, decodeEmbedding } from '../../protocol/folder-event-codec.ts'
import { createMetadataDecoder } from '../../protocol/metadata-decoder.ts'
import type { Head } from '../../protocol/messages.ts'
import { headText, verify } from '../../protocol/signing.ts'
import { folderOfStream } from '../../protocol/streams.ts'
import { Messages } from './message.ts'
import { createDirectoryKeys, RecordWriter, type Records } from './record-writer.ts'
import { Streams } from './streams.ts'

/** A stream's events in a segment: they follow the one with the chain `previous`, and each other. */
export interface StreamPart {
  readonly stream: string
  readonly first: number
  readonly previous: string
  last: number
  chain: string
}

/** A signed message whose changes, root and place are right. What is left to see is who sent it, and what came before. */
export interface CheckedMessage {
  readonly head: Pick<Head, 'agent' | 'epoch' | 'number' | 'root' | 'previous'>
  readonly account: AccountId | undefined
  readonly time: number
  /** The signature, where it has not been checked: its agent was not known. */
  readonly unchecked?: { readonly text: string; readonly signature: string }
}

/** Events that lie one after the other in the log, in each of which everything is right that can be seen without what came before them. */
export interface CheckedSegment extends Records {
  readonly events: number
  readonly streams: readonly StreamPart[]
  readonly messages: readonly CheckedMessage[]
  /** How many signatures were checked. */
  readonly signatures: number
  /** The events that go along whole, in their order. */
  readonly whole: readonly RecordedEvent[]
}

export interface SegmentDeps {
  /** An agent's public key as far as it is known; null: it has none. */
  readonly keyOf: (agent: AgentKey) => string | null | undefined
  /** The chain of an event that lies before, as the log holds it. */
  readonly chainAt: (stream: string, revision: number) => string | undefined
  /** Whether the signatures up to here were found right by an earlier run, over the same log. */
  readonly isTrusted: (stream: string, revision: number) => boolean
}

/**
 * Checks segments of the log, each for itself, on whatever thread: chains, forms, ids, messages and their signatures. undefined: something is wrong or
 * unusual, and whoever reads the log in its order has to look for what, so that it is told in one way alone.
 */
export const segmentChecker = (deps: SegmentDeps): ((events: readonly RecordedEvent[]) => CheckedSegment | undefined) => {
  const directoryKey = createDirectoryKeys()
  return (events) => {
    const check = new SegmentCheck(deps, new RecordWriter(events.length, directoryKey))
    for (const event of events) if (!check.take(event)) return undefined
    return check.finish()
  }
}

interface Part extends StreamPart {
  readonly index: number
  readonly folder: FolderId | undefined
  /** Of a folder. */
  readonly messages: Messages | undefined
}

class SegmentCheck {
  readonly #deps: SegmentDeps
  readonly #parts = new Map<string, Part>()
  readonly #streams = new Streams(() => this.#fail())
  readonly #decodeMetadata = createMetadataDecoder()
  readonly #messages: CheckedMessage[] = []
  readonly #whole: RecordedEvent[] = []
  readonly #records: RecordWriter
  #signatures = 0
  #events = 0
  #isRight = true

  constructor(deps: SegmentDeps, records: RecordWriter) {
    this.#deps = deps
    this.#records = records
  }

  /** False: something is wrong with the event. */
  take(event: RecordedEvent): boolean {
    const part = this.#parts.get(event.stream) ?? this.#begin(event)
    this.#streams.take(event)
    this.#events += 1
    part.last = event.revision
    part.chain = event.chain
    if (part.folder === undefined) this.#passOn(part, event)
    else this.#takeOfFolder(part, part.folder, event)
    return this.#isRight
  }

  finish(): CheckedSegment | undefined {
    for (const { messages } of this.#parts.values()) messages?.end()
    if (!this.#isRight) return undefined
    return {
      events: this.#events,
      streams: [...this.#parts.values()].map(({ stream, first, previous, last, chain }) => ({ stream, first, previous, last, chain })),
      messages: this.#messages,
      signatures: this.#signatures,
      ...this.#records.finish(),
      whole: this.#whole,
    }
  }

  #fail(): void {
    this.#isRight = false
  }

  #begin({ stream, revision }: RecordedEvent): Part {
    const previous = revision === 0 ? '' : this.#deps.chainAt(stream, revision - 1)
    if (previous === undefined) this.#fail()
    this.#streams.beginAt(stream, revision - 1, previous ?? '')
    const folder = folderOfStream(stream)
    const messages = folder === undefined ? undefined : this.#messagesOf(folder)
    const part = { stream, first: revision, previous: previous ?? '', last: revision, chain: '', index: this.#parts.size, folder, messages }
    this.#parts.set(stream, part)
    return part
  }

  /** As of a stream that is read from its middle on: what links a first message to the one before it is seen elsewhere. */
  #messagesOf(folder: FolderId): Messages {
    const { keyOf, isTrusted } = this.#deps
    return new Messages(folder, true, {
      isTrusted,
      report: () => this.#fail(),
      people: {
        ownerOf: () => undefined,
        author: (_, agent, account) => {
          const publicKey = keyOf(agent)
          // Whose account it is, is seen elsewhere.
          return publicKey === undefined || account === undefined ? undefined : { account, publicKey, revoked: undefined }
        },
      },
      signatures: {
        check: (publicKey, text, signature) => {
          this.#signatures += 1
          if (!verify(publicKey, text, signature)) this.#fail()
        },
      },
      claims: {
        take: ({ stream, revision, chain }) => {
          const found = this.#streams.chainAt(stream, revision) ?? this.#deps.chainAt(stream, revision)
          if (found !== chain) this.#fail()
        },
      },
    })
  }

  #passOn({ index }: Part, event: RecordedEvent): void {
    this.#whole.push(event)
    this.#records.other(index, event.revision)
  }

  #takeOfFolder(part: Part, folder: FolderId, event: RecordedEvent): void {
    const metadata = this.#decodeMetadata(event.metadata)
    if (E.isLeft(metadata)) return this.#fail()
    if (metadata.right.proof !== 'signed') return this.#passOn(part, event)
    const decoded = decodeEmbedding(event)
    // Nobody signs the making of a folder.
    if (E.isLeft(decoded) || decoded.right.event.type === 'FolderCreated') return this.#fail()
    const begins = this.#beginMessage(event, metadata.right)
    part.messages?.take(event, metadata.right, embeddedText(event.data))
    const { revision } = event
    if (!isFileEvent(decoded.right.event)) return begins ? this.#records.note(part.index, revision) : undefined
    const at = { stream: part.index, folder, revision, begins }
    if (this.#records.file(at, decoded.right.event, decoded.right.change) === 'whole') this.#whole.push(event)
  }

  #beginMessage({ stream, revision }: RecordedEvent, { message, account, time }: EventMetadata): boolean {
    if (message === undefined) return false
    const { agent, epoch, number, root, previous } = message.head
    const { keyOf, isTrusted } = this.#deps
    const isChecked = isTrusted(stream, revision) || (keyOf(agent) !== undefined && account !== undefined)
    this.#messages.push({
      head: { agent, epoch, number, root, previous },
      account,
      time,
      ...(isChecked ? {} : { unchecked: { text: headText(message.head), signature: message.signature } }),
    })
    return true
  }
}
