import * as E from 'fp-ts/lib/Either.js'
import type { FileEvent, FolderEvent, FolderId } from '../../domain/events.ts'
import { isFileEvent } from '../../domain/tree.ts'
import type { RecordedEvent } from '../../eventlog/port.ts'
import { decodeFolderEvent, type EventMetadata } from '../../protocol/event-codec.ts'
import { fileIdOf, folderIdOf, uuidV5 } from '../../protocol/event-ids.ts'
import { embeddedText, type EmbeddingEvent } from '../../protocol/folder-event-codec.ts'
import { placeName, type At, type FaultKind } from './fault.ts'
import { judge, judgeBeside, staleBase, type Before, type FileChange, type SeenVersion } from './judge.ts'
import { Messages, type MessageDeps } from './message.ts'
import type { People } from './people.ts'
import type { CheckedMessage } from './segment.ts'
import { createdIn, type Trees } from './tree.ts'

export interface FolderDeps extends MessageDeps {
  readonly people: People
  readonly trees: Trees
  /** Reads an event again. */
  readonly event: (stream: string, revision: number) => Promise<RecordedEvent | undefined>
}

interface Beside {
  readonly recorded: RecordedEvent
  readonly event: FileEvent
}

/** One folder's stream: its messages, and its tree, which shows whether the gateway did with each change what it had to. */
export class FolderStream {
  readonly #folder: FolderId
  readonly #deps: FolderDeps
  readonly #messages: Messages
  readonly #filePrefix: string
  #beside: Beside[] = []
  /** From here on the tree can't be known, since something before is missing. */
  #unknownFrom: At | undefined
  passwords = 0

  /** `partial`: it is read from the middle on. */
  constructor(folder: FolderId, deps: FolderDeps, partial = false) {
    this.#folder = folder
    this.#deps = deps
    this.#messages = new Messages(folder, partial, deps)
    this.#filePrefix = fileIdOf(folder, 0).slice(0, 16)
    if (partial) this.#unknownFrom = { stream: '', revision: 0 }
  }

  /** Why what the gateway added is not judged from somewhere on; undefined: all was. */
  get unjudged(): string | undefined {
    return this.#unknownFrom === undefined || this.#unknownFrom.stream === '' ? undefined : placeName(this.#unknownFrom)
  }

  /** An event is missing, or can't be understood. */
  lose(at: At): void {
    this.#messages.lose(at.revision)
    this.#applyBeside()
    this.#unknownFrom ??= at
  }

  /** The next event; a promise where an old event has to be looked up. */
  take(recorded: RecordedEvent, { event, change }: EmbeddingEvent, metadata: EventMetadata): Promise<void> | undefined {
    this.#takeAuthor(recorded, event, metadata)
    if (event.type === 'FolderCreated') this.#takeFolder(recorded, event)
    return this.judge(recorded, { event, change })
  }

  /** Whether a message is still under way, or an event that was made beside a change that is still to come. */
  get isOpen(): boolean {
    return this.#messages.isOpen || this.#beside.length > 0
  }

  /** A message that begins at an event, and is right in itself (segment.ts). */
  takeMessage(at: At, message: CheckedMessage): void {
    this.#messages.takeChecked(at, message)
  }

  /** The event of a record (records.ts), where the tree shows at once that it is right; false: it has to be judged by all that it says. */
  takeRecord(words: Uint32Array, at: number): boolean {
    const { trees } = this.#deps
    if (this.#beside.length > 0) return false
    if (this.#unknownFrom === undefined && !trees.follows(words, at)) return false
    trees.applyRecord(this.#folder, words, at)
    return true
  }

  /** Judges what an event did to the tree, and does it; a promise where an old event has to be looked up. */
  judge(recorded: RecordedEvent, { event, change }: EmbeddingEvent): Promise<void> | undefined {
    if (!isFileEvent(event)) return undefined
    if (change === undefined) {
      this.#beside.push({ recorded, event })
      return undefined
    }
    if (!('path' in change)) return this.#fault('derived', recorded, 'its change is of another kind')
    return this.#takeFile(recorded, event, change)
  }

  end(): void {
    this.#messages.end()
    this.#applyBeside()
  }

  #takeAuthor(recorded: RecordedEvent, event: FolderEvent, metadata: EventMetadata): void {
    const { proof, agent, account, time } = metadata
    if (proof === 'signed') return this.#messages.take(recorded, metadata, embeddedText(recorded.data))
    if (proof === 'gateway') return isFileEvent(event) ? this.#fault('signature', recorded, 'nobody signed it') : undefined
    this.passwords += 1
    const known = agent === undefined ? undefined : this.#deps.people.author(recorded, agent, account, time)
    if (known?.publicKey !== null && known !== undefined)
      this.#fault('signature', recorded, 'nobody signed it, though its agent has a key to sign with')
    if (agent === undefined) this.#fault('agent', recorded, 'it names nobody who made it')
    return undefined
  }

  #takeFolder(recorded: RecordedEvent, { account, name }: Extract<FolderEvent, { type: 'FolderCreated' }>): void {
    this.#deps.people.knowFolder(this.#folder, account)
    if (folderIdOf(account, name) !== this.#folder || recorded.revision !== 0)
      this.#fault('format', recorded, 'the folder is not that of its account and name, or was made a second time')
    if (recorded.id !== uuidV5(`folder/${this.#folder}/created`)) this.#fault('id', recorded, 'its id is not that of such an event')
  }

  #takeFile(recorded: RecordedEvent, event: FileEvent, change: FileChange): Promise<void> | undefined {
    if (this.#unknownFrom !== undefined) {
      this.#applyBeside()
      this.#deps.trees.apply(this.#folder, event, recorded.revision)
      return undefined
    }
    const stale = staleBase(this.#before(recorded.revision), change)
    if (stale === undefined) return this.#judgeAll(recorded, event, change, undefined)
    return this.#seen(recorded.stream, stale).then((seen) => this.#judgeAll(recorded, event, change, seen))
  }

  #judgeAll(recorded: RecordedEvent, event: FileEvent, change: FileChange, seen: SeenVersion | undefined): undefined {
    for (const beside of this.#beside) {
      const verdict = judgeBeside(this.#before(beside.recorded.revision), beside.event, change, event.path, seen)
      if (verdict !== undefined) this.#fault('derived', beside.recorded, verdict, beside.event.path)
      this.#deps.trees.apply(this.#folder, beside.event, beside.recorded.revision)
    }
    this.#beside = []
    const verdict = judge(this.#before(recorded.revision), event, change, seen)
    if (verdict !== undefined) this.#fault('derived', recorded, verdict, event.path)
    this.#deps.trees.apply(this.#folder, event, recorded.revision)
  }

  #applyBeside(): void {
    for (const { recorded, event } of this.#beside) this.#deps.trees.apply(this.#folder, event, recorded.revision)
    this.#beside = []
  }

  async #seen(stream: string, revision: number): Promise<SeenVersion | undefined> {
    const recorded = await this.#deps.event(stream, revision)
    const decoded = recorded === undefined ? undefined : decodeFolderEvent(recorded)
    if (decoded === undefined || E.isLeft(decoded)) return undefined
    const event = decoded.right
    if (!isFileEvent(event) || event.type === 'FileDeleted') return undefined
    const { path, fileId, content } = event
    return { path, created: createdIn(fileId), kind: content.kind, hash: content.hash }
  }

  #before(revision: number): Before {
    const { trees } = this.#deps
    return {
      revision,
      get: (path) => trees.get(this.#folder, path),
      lives: (created) => trees.lives(this.#folder, created),
      // Written like `fileIdOf`, without hashing the folder's id each time.
      newFileId: (at) => `${this.#filePrefix}${at.toString(16).padStart(16, '0')}` as ReturnType<typeof fileIdOf>,
    }
  }

  #fault(kind: FaultKind, { stream, revision }: At, reason: string, path?: string): undefined {
    this.#deps.report({ kind, stream, revision, ...(path === undefined ? {} : { path }), reason })
  }
}
