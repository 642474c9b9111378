import * as E from 'fp-ts/lib/Either.js'
import type { StoredObjects } from '../../blobstore/port.ts'
import type { AgentEvent, FolderId, GatewayEvent } from '../../domain/events.ts'
import { isFileEvent } from '../../domain/tree.ts'
import type { RecordedEvent } from '../../eventlog/port.ts'
import type { EventError, EventMetadata, PacksEvent } from '../../protocol/event-codec.ts'
import { uuidV5 } from '../../protocol/event-ids.ts'
import { createMetadataDecoder } from '../../protocol/metadata-decoder.ts'
import { decodeEmbedding, type EmbeddingEvent } from '../../protocol/folder-event-codec.ts'
import { checkpointText } from '../../protocol/gateway-event-codec.ts'
import { decodeLogEvent, type LogEvent } from '../../protocol/log-event.ts'
import { witnessText } from '../../protocol/signing.ts'
import { agentStream, folderStream } from '../../protocol/streams.ts'
import { Claims } from './claims.ts'
import { Contents } from './contents.ts'
import type { At, FaultKind, Report } from './fault.ts'
import { FolderStream } from './folder.ts'
import { ManifestReads } from './manifests.ts'
import { People } from './people.ts'
import type { CheckedSegment } from './segment.ts'
import { Signatures, type VerifySignature } from './signatures.ts'
import { Streams } from './streams.ts'
import { Trees } from './tree.ts'

export interface EventsDeps {
  readonly report: Report
  readonly verifySignature: VerifySignature
  /** Reads an event again. */
  readonly event: (stream: string, revision: number) => Promise<RecordedEvent | undefined>
  readonly objects: StoredObjects | undefined
  /** Whether the signatures up to here were found right by an earlier run, over the same log. */
  readonly isTrusted: (stream: string, revision: number) => boolean
  /** The gateway's key as it is known from outside. */
  readonly gatewayKey: string | undefined
}

const FOLDER = 'folder-'

/** Everything that can be seen wrong in events alone, read in their order: the state of one verification. */
export class Events {
  readonly streams: Streams
  readonly claims: Claims
  readonly signatures: Signatures
  readonly people: People
  readonly contents = new Contents()
  readonly trees = new Trees()
  readonly #manifests: ManifestReads
  readonly #folders = new Map<string, FolderStream>()
  readonly #deps: EventsDeps
  readonly #report: Report
  readonly #decodeMetadata = createMetadataDecoder()
  #gatewayKey: string | undefined

  constructor(deps: EventsDeps) {
    const { report, event } = deps
    this.#deps = deps
    this.#report = report
    this.#gatewayKey = deps.gatewayKey
    this.streams = new Streams(report)
    this.claims = new Claims(this.streams, report, async (stream, revision) => (await event(stream, revision))?.chain)
    this.signatures = new Signatures(deps.verifySignature, report)
    this.people = new People(this.signatures, report)
    this.#manifests = new ManifestReads(deps.objects, this.contents, report)
  }

  /** Events proved by a password alone. */
  get passwords(): number {
    return [...this.#folders.values()].reduce((sum, { passwords }) => sum + passwords, 0)
  }

  /** From where on what the gateway added is not judged, since something before is missing. */
  get unjudged(): readonly string[] {
    return [...this.#folders.values()].flatMap(({ unjudged }) => unjudged ?? [])
  }

  /** A folder's stream that is read from a revision in its middle on, after this chain. */
  beginAt(folder: FolderId, revision: number, chain: string): void {
    this.streams.beginAt(folderStream(folder), revision - 1, chain)
    this.#folders.set(folderStream(folder), this.#newFolder(folder, true))
  }

  /** The next event of the log; a promise where its reading has to wait. */
  take(recorded: RecordedEvent): Promise<void> | undefined {
    const { stream, revision } = recorded
    const isFolder = stream.startsWith(FOLDER)
    const last = this.streams.head(stream)?.revision ?? -1
    if (!this.streams.take(recorded)) {
      if (revision <= last) return undefined
      if (isFolder) this.folder(stream).lose(recorded)
    }
    return this.takeNext(recorded)
  }

  /** Tells a fault. */
  get report(): Report {
    return this.#report
  }

  /** Whether the events of a segment (segment.ts) follow what was read, in every stream, so that they can be taken as one (checked.ts). */
  joins({ streams }: CheckedSegment): boolean {
    return streams.every((part) => this.streams.joins(part) && this.#folders.get(part.stream)?.isOpen !== true)
  }

  /** The same without its chain. */
  takeNext(recorded: RecordedEvent): Promise<void> | undefined {
    const { stream } = recorded
    const isFolder = stream.startsWith(FOLDER)
    const metadata = this.#decodeMetadata(recorded.metadata)
    if (E.isLeft(metadata)) return this.#cannotRead(recorded, 'metadata: ', metadata.left)
    if (isFolder) return this.#takeOfFolder(recorded, metadata.right)
    const decoded = decodeLogEvent(stream, recorded)
    return E.isLeft(decoded) ? this.#cannotRead(recorded, '', decoded.left) : this.#takeOther(recorded, decoded.right, metadata.right)
  }

  /** Whether reading should wait for what is checked beside it. */
  get full(): boolean {
    return this.signatures.full || this.claims.full || this.#manifests.full
  }

  /** Resolves when there is room again. */
  async room(): Promise<void> {
    await this.signatures.until()
    if (this.claims.full) await this.claims.settled()
    if (this.#manifests.full) await this.#manifests.settled()
  }

  /** When the last event has been taken. */
  async finish(): Promise<void> {
    for (const folder of this.#folders.values()) folder.end()
    await this.#manifests.settled()
    await this.claims.finish()
    await this.signatures.until(0)
  }

  folder(stream: string): FolderStream {
    const known = this.#folders.get(stream)
    if (known !== undefined) return known
    // Streams are named by `folderStream` alone; another name shows in its chain.
    const folder = this.#newFolder(stream.slice(FOLDER.length) as FolderId, false)
    this.#folders.set(stream, folder)
    return folder
  }

  #newFolder(folder: FolderId, partial: boolean): FolderStream {
    const { people, signatures, claims, trees } = this
    const { report, isTrusted, event } = this.#deps
    return new FolderStream(folder, { people, signatures, claims, trees, report, isTrusted, event }, partial)
  }

  #cannotRead(recorded: RecordedEvent, part: string, error: EventError): undefined {
    const reason =
      error.tag === 'UnknownEvent'
        ? `this version of EventSync does not know its type ${error.type}, version ${error.version}`
        : `${part}${error.field} ${error.reason}`
    this.#fault('format', recorded, reason)
    if (recorded.stream.startsWith(FOLDER)) this.folder(recorded.stream).lose(recorded)
  }

  #takeOfFolder(recorded: RecordedEvent, metadata: EventMetadata): Promise<void> | undefined {
    const decoded = decodeEmbedding(recorded)
    if (E.isLeft(decoded)) return this.#cannotRead(recorded, '', decoded.left)
    this.takeContent(recorded, decoded.right)
    return this.folder(recorded.stream).take(recorded, decoded.right, metadata)
  }

  /** The chunks that an event names. */
  takeContent({ stream, revision }: RecordedEvent, { event }: EmbeddingEvent): void {
    if (!isFileEvent(event) || event.type === 'FileDeleted') return
    const { content, path } = event
    const { manifest } = content
    const named = manifest.tag === 'chunks' ? manifest.chunks : [manifest]
    for (const chunk of named)
      if (!this.contents.name(chunk, stream, revision))
        this.#report({
          kind: 'size',
          stream,
          revision,
          path,
          reason: `the chunk ${chunk.hash} is stored, or named before, with another size`,
        })
    if (manifest.tag === 'object') this.#manifests.take(content, manifest, { stream, revision, path })
  }

  #takeOther(recorded: RecordedEvent, decoded: LogEvent, metadata: EventMetadata): undefined {
    switch (decoded.of) {
      case 'account':
        this.people.take(recorded, decoded.event, metadata.time)
        return undefined
      case 'agent':
        return this.#takeWitness(recorded, decoded.event)
      case 'packs':
        return this.#takePacks(recorded, decoded.event)
      case 'gateway':
        return this.#takeGateway(recorded, decoded.event)
      case 'folder':
    }
  }

  #takeWitness(recorded: RecordedEvent, event: AgentEvent): undefined {
    const { agent, folder, position, chain, signature } = event
    if (recorded.stream !== agentStream(agent)) this.#fault('format', recorded, 'it is in the stream of another agent')
    const key = this.people.get(agent)?.publicKey
    const fault = { kind: 'signature', ...atOf(recorded), reason: 'the signature is not that of its agent over what it saw' } as const
    if (typeof key !== 'string') return this.#fault('agent', recorded, 'its agent was never enrolled with a key')
    if (!this.#deps.isTrusted(recorded.stream, recorded.revision))
      this.signatures.check(key, witnessText(folder, position, chain), signature, fault)
    if (position >= 0) this.claims.take({ stream: folderStream(folder), revision: position, chain, kind: 'witness', by: atOf(recorded) })
    return undefined
  }

  #takePacks(recorded: RecordedEvent, event: PacksEvent): undefined {
    if (event.type === 'PackStored') {
      const { pack, entries } = event
      if (recorded.id !== uuidV5(`pack/${pack}/${entries.map(({ hash }) => hash).join('')}`))
        this.#fault('id', recorded, 'its id is not that of such an event')
      const bytes = entries.reduce((sum, { size }) => sum + size, 0)
      this.contents.packed(event, recorded.revision, this.#deps.objects?.packSize(entries.length, bytes) ?? 0)
    } else if (event.type === 'PackRetiring') this.contents.retire(event.pack, event.chunks)
    return undefined
  }

  #takeGateway(recorded: RecordedEvent, event: GatewayEvent): undefined {
    if (event.type !== 'Checkpoint') return undefined
    const { heads, gatewayKey, signature } = event
    this.#gatewayKey ??= gatewayKey
    if (gatewayKey !== this.#gatewayKey) this.#fault('checkpoint', recorded, 'it is signed by another key than the gateway has')
    if (recorded.id !== uuidV5(`checkpoint/${signature}`)) this.#fault('id', recorded, 'its id is not that of such an event')
    const fault = { kind: 'signature', ...atOf(recorded), reason: "the signature is not that of the gateway's key over its heads" } as const
    if (!this.#deps.isTrusted(recorded.stream, recorded.revision))
      this.signatures.check(gatewayKey, checkpointText(heads), signature, fault)
    for (const { stream, revision, chain } of heads) this.claims.take({ stream, revision, chain, kind: 'checkpoint', by: atOf(recorded) })
    return undefined
  }

  #fault(kind: FaultKind, { stream, revision }: At, reason: string): undefined {
    this.#report({ kind, stream, revision, reason })
  }
}

const atOf = ({ stream, revision }: RecordedEvent): At => ({ stream, revision })
