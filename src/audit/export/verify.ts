import { createHash } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import type { Content } from '../../domain/content.ts'
import { isFileEvent } from '../../domain/tree.ts'
import type { RecordedEvent } from '../../eventlog/port.ts'
import { decodeFolderEvent, decodeMetadata } from '../../protocol/event-codec.ts'
import { eventId } from '../../protocol/event-ids.ts'
import { embeddedText } from '../../protocol/folder-event-codec.ts'
import { sha256 } from '../../protocol/hash.ts'
import { chunksMatch, decodeManifest } from '../../protocol/manifest.ts'
import { leafHash, rootFromPath } from '../../protocol/merkle.ts'
import { headText } from '../../protocol/signing.ts'
import { folderStream } from '../../protocol/streams.ts'
import { readCheckpoint } from '../../protocol/folder-checkpoint.ts'
import type { Claim } from '../verify/claims.ts'
import { Events } from '../verify/events.ts'
import type { At, FaultKind, Report } from '../verify/fault.ts'
import type { VerifySignature } from '../verify/signatures.ts'
import { decodeRecord, endText, type ExportHeader, type ExportRecord, type Proof } from './record.ts'
import { isWhole } from './write.ts'

/** A line of the file, without its end, and where it stands. */
export interface ExportLine {
  readonly text: string
  readonly offset: number
  /** The line is whole: it has an end. */
  readonly ended: boolean
}

export interface ExportDeps {
  readonly lines: AsyncIterable<ExportLine>
  /** Reads the line at an offset again. */
  readonly lineAt: (offset: number) => Promise<string | undefined>
  readonly verifySignature: VerifySignature
  /** The gateway's key as it is known from outside; undefined: the export's own word. */
  readonly gatewayKey: string | undefined
  /** Words from outside: exported checkpoints, devices' witnesses. */
  readonly claims: readonly Claim[]
  readonly report: Report
  readonly progress: (lines: number) => void
}

export interface ExportTotals {
  readonly header: ExportHeader | undefined
  readonly events: number
  readonly signatures: number
  readonly chunks: number
  /** Chunks that the store did not have any more when the export was made. */
  readonly absent: number
  readonly passwords: number
  /** Whether it begins at the folder's first event, so that everything could be judged. */
  readonly whole: boolean
}

type EventRecord = Extract<ExportRecord, { kind: 'Event' }>

/** A list of chunks that a content was given by. */
interface Wanted extends At {
  readonly content: Content
  readonly path: string
}

/** Verifies an export, without any server. Every fault is told as it is found. */
export const verifyExport = async (deps: ExportDeps): Promise<ExportTotals> => {
  const reading = new ExportReading(deps)
  for await (const line of deps.lines) await reading.take(line)
  return reading.finish()
}

class ExportReading {
  readonly #deps: ExportDeps
  readonly #events: Events
  readonly #digest = createHash('sha256')
  readonly #offsets = new Map<string, number[]>()
  readonly #lists = new Map<string, Wanted>()
  #header: ExportHeader | undefined
  #lines = 0
  #chunks = 0
  #absent = 0
  #passwords = 0
  #ended = false

  constructor(deps: ExportDeps) {
    this.#deps = deps
    this.#events = new Events({
      report: deps.report,
      verifySignature: deps.verifySignature,
      event: (stream, revision) => this.#event(stream, revision),
      objects: undefined,
      isTrusted: () => false,
      gatewayKey: deps.gatewayKey,
    })
  }

  async take({ text, offset, ended }: ExportLine): Promise<void> {
    const number = this.#lines + 1
    if (this.#ended) return this.#fault(`line ${number} stands after the end`)
    const record = ended ? decodeRecord(text) : E.left('it has no end: the file was cut')
    if (E.isLeft(record) || record.right.kind !== 'End') this.#digest.update(`${text}\n`)
    if (E.isLeft(record)) this.#fault(`line ${number}: ${record.left}`)
    else if ((record.right.kind === 'Export') !== (number === 1))
      this.#fault(`line ${number}: an export begins with its header, and has one`)
    else await this.#takeRecord(record.right, offset)
    this.#lines = number
    this.#deps.progress(number)
  }

  async finish(): Promise<ExportTotals> {
    if (!this.#ended) this.#fault('it has no last line that says how much there is: its end was cut off')
    await this.#checkClaims()
    await this.#events.finish()
    if (this.#header?.contents === true) this.#tellMissing()
    return {
      header: this.#header,
      events: this.#events.streams.events,
      signatures: this.#events.signatures.checked,
      chunks: this.#chunks,
      absent: this.#absent,
      passwords: this.#passwords + this.#events.passwords,
      whole: this.#isWhole,
    }
  }

  get #isWhole(): boolean {
    return this.#header !== undefined && isWhole(this.#header)
  }

  async #takeRecord(record: ExportRecord, offset: number): Promise<void> {
    switch (record.kind) {
      case 'Export':
        return this.#takeHeader(record.header)
      case 'Event':
        await this.#takeEvent(record, offset)
        if (this.#events.full) await this.#events.room()
        return
      case 'Chunk':
        return this.#takeChunk(record)
      case 'Absent':
        this.#absent += 1
        // It may have been let go: the log that could say so is not here.
        this.#events.contents.retire(null, [record.hash])
        return
      case 'Checkpoint':
        return this.#takeCheckpoint(record.text)
      case 'End':
        return this.#takeEnd(record)
    }
  }

  #takeHeader(header: ExportHeader): void {
    this.#header = header
    this.#events.people.knowAccount(header.email)
    this.#events.people.knowFolder(header.folder, header.account)
    if (this.#deps.gatewayKey !== undefined && header.gatewayKey !== this.#deps.gatewayKey)
      this.#fault('it was made with another key than the gateway has')
  }

  async #takeEvent({ event, previous, proof }: EventRecord, offset: number): Promise<void> {
    const { stream, revision } = event
    const offsets = this.#offsets.get(stream) ?? []
    this.#offsets.set(stream, offsets)
    offsets[revision] = offset
    const isOfFolder = stream.startsWith('folder-')
    if (isOfFolder && stream !== folderStream(this.#header?.folder ?? (stream.slice(7) as ExportHeader['folder'])))
      this.#deps.report({ kind: 'moved', stream, revision, reason: 'it is of another folder than the export' })
    const last = this.#events.streams.head(stream)?.revision ?? -1
    if (previous !== undefined && revision > last) this.#events.streams.beginAt(stream, revision - 1, previous)
    if (isOfFolder && !this.#isWhole) return this.#takeAlone(event, proof)
    this.#takeList(event)
    await this.#events.take(event)
  }

  /** An event without all of its message: its chain, and that its change was signed. */
  #takeAlone(event: RecordedEvent, proof: Proof | undefined): void {
    const at = { stream: event.stream, revision: event.revision }
    this.#events.streams.take(event)
    const metadata = decodeMetadata(event.metadata)
    const decoded = decodeFolderEvent(event)
    if (E.isLeft(metadata) || E.isLeft(decoded)) return this.#deps.report({ kind: 'format', ...at, reason: 'it cannot be understood' })
    this.#takeList(event)
    this.#nameChunks(event)
    const text = embeddedText(event.data)
    if (text === undefined) return
    const { proof: by, agent, account, time } = metadata.right
    if (by === 'password') this.#passwords += 1
    if (by !== 'signed') return
    if (proof === undefined) return this.#deps.report({ kind: 'change', ...at, reason: 'nothing shows that it was signed' })
    const known = agent === undefined ? undefined : this.#events.people.author(event, agent, account, time)
    const wrong = wrongProof(event, text, proof, this.#header, agent)
    if (wrong !== undefined) this.#deps.report({ kind: wrong.kind, ...at, reason: wrong.reason })
    if (known === undefined) return
    const fault = { kind: 'signature', ...at, reason: "its message's signature is not that of its agent's key over its head" } as const
    this.#events.signatures.check(known.publicKey ?? '', headText(proof.head), proof.signature, fault)
  }

  #nameChunks(event: RecordedEvent): void {
    const decoded = decodeFolderEvent(event)
    if (E.isLeft(decoded) || !isFileEvent(decoded.right) || decoded.right.type === 'FileDeleted') return
    const { manifest } = decoded.right.content
    for (const chunk of manifest.tag === 'chunks' ? manifest.chunks : [manifest])
      this.#events.contents.name(chunk, event.stream, event.revision)
  }

  #takeList(event: RecordedEvent): void {
    const decoded = this.#header?.contents === true ? decodeFolderEvent(event) : undefined
    if (decoded === undefined || E.isLeft(decoded) || !isFileEvent(decoded.right) || decoded.right.type === 'FileDeleted') return
    const { content, path } = decoded.right
    const { stream, revision } = event
    if (content.manifest.tag === 'object') this.#lists.set(content.manifest.hash, { content, path, stream, revision })
  }

  #takeChunk({ hash, bytes }: Extract<ExportRecord, { kind: 'Chunk' }>): void {
    this.#chunks += 1
    if (sha256(bytes) !== hash) this.#deps.report({ kind: 'object', object: hash, reason: 'the bytes of the chunk have another hash' })
    else this.#events.contents.own(hash, bytes.length)
    const list = this.#lists.get(hash)
    if (list === undefined) return
    const { content, ...at } = list
    const chunks = decodeManifest(bytes)
    if (E.isLeft(chunks) || !chunksMatch(content, chunks.right))
      this.#deps.report({ kind: 'manifest', ...at, reason: 'the list of its chunks does not make its content' })
    else for (const chunk of chunks.right) this.#events.contents.name(chunk, at.stream, at.revision)
  }

  #takeCheckpoint(text: string): void {
    const checkpoint = readCheckpoint(text)
    if (E.isLeft(checkpoint)) return this.#deps.report({ kind: 'checkpoint', reason: `the export's own checkpoint: ${checkpoint.left}` })
    const { folder, position, chain, gatewayKey } = checkpoint.right
    if (gatewayKey !== this.#header?.gatewayKey)
      this.#deps.report({ kind: 'checkpoint', reason: "the export's own checkpoint is signed by another key" })
    const claim: Claim = { stream: folderStream(folder), revision: position, chain, kind: 'checkpoint', by: "the export's own checkpoint" }
    if (this.#holds(claim)) this.#events.claims.take(claim)
  }

  #takeEnd({ lines, digest, signature }: Extract<ExportRecord, { kind: 'End' }>): void {
    this.#ended = true
    if (lines !== this.#lines) this.#fault(`its last line says that ${lines} lines are before it, and there are ${this.#lines}`)
    if (digest !== this.#digest.digest('hex')) this.#fault('its lines are not those that were written: their digest is another one')
    const key = this.#header?.gatewayKey ?? ''
    this.#events.signatures.check(key, endText(digest), signature, {
      kind: 'signature',
      reason: "the export's own signature is not that of the gateway's key",
    })
  }

  #holds({ stream, revision }: At): boolean {
    return this.#offsets.get(stream)?.[revision] !== undefined
  }

  /** Where it does not hold all events, only those can be compared that it holds. */
  async #checkClaims(): Promise<void> {
    for (const claim of this.#deps.claims) {
      const isOfFolder = claim.stream === folderStream(this.#header?.folder ?? ('' as ExportHeader['folder']))
      const isBeyond = claim.revision > (this.#header?.to ?? -1)
      if (isOfFolder && (this.#holds(claim) || (this.#isWhole && !isBeyond))) this.#events.claims.take(claim)
    }
    await this.#events.claims.settled()
  }

  #tellMissing(): void {
    for (const { hash, stream, revision, released } of this.#events.contents.missing())
      if (!released)
        this.#deps.report({ kind: 'missing', stream, revision, object: `${hash}…`, reason: 'a chunk that it names is not in the export' })
  }

  async #event(stream: string, revision: number): Promise<RecordedEvent | undefined> {
    const offset = this.#offsets.get(stream)?.[revision]
    const line = offset === undefined ? undefined : await this.#deps.lineAt(offset)
    const record = line === undefined ? undefined : decodeRecord(line)
    return record !== undefined && E.isRight(record) && record.right.kind === 'Event' ? record.right.event : undefined
  }

  #fault(reason: string): void {
    this.#deps.report({ kind: 'file', reason })
  }
}

const wrongProof = (
  event: RecordedEvent,
  text: string,
  { head, index, path }: Proof,
  header: ExportHeader | undefined,
  agent: string | undefined,
): { readonly kind: FaultKind; readonly reason: string } | undefined => {
  const leaf = leafHash(text)
  if (header !== undefined && head.folder !== header.folder)
    return { kind: 'moved', reason: `its message was signed for the folder ${head.folder}` }
  if (head.agent !== agent) return { kind: 'moved', reason: 'its message was signed by another agent' }
  if (rootFromPath(leaf, index, head.count, path) !== head.root)
    return { kind: 'change', reason: 'its change is none of those that were signed' }
  return eventId(head.agent, head.epoch, head.number, index, 0, leaf) === event.id
    ? undefined
    : { kind: 'id', reason: 'its id is not that of its change' }
}
