import type { Hash } from '../../domain/content.ts'
import type { AgentKey, FolderId } from '../../domain/events.ts'
import type { RecordedEvent } from '../../eventlog/port.ts'
import type { EventMetadata, MessageRecord } from '../../protocol/event-codec.ts'
import { eventId } from '../../protocol/event-ids.ts'
import { leafHash, merkleRoot } from '../../protocol/merkle.ts'
import { headText } from '../../protocol/signing.ts'
import { folderStream } from '../../protocol/streams.ts'
import type { Claims } from './claims.ts'
import type { At, FaultKind, Report } from './fault.ts'
import type { People } from './people.ts'
import type { CheckedMessage } from './segment.ts'
import type { Signatures } from './signatures.ts'

/** What messages are checked with. */
export interface MessageDeps {
  readonly people: Pick<People, 'author' | 'ownerOf'>
  readonly signatures: Pick<Signatures, 'check'>
  readonly claims: Pick<Claims, 'take'>
  readonly report: Report
  /** Whether the signatures up to here were found right by an earlier run, over the same log. */
  readonly isTrusted: (stream: string, revision: number) => boolean
}

/** An event that awaits the one by which its change is known. */
interface Beside {
  readonly event: RecordedEvent
  readonly index: number
}

interface Open {
  readonly record: MessageRecord
  readonly first: At
  /** The revision of its last event. */
  readonly last: number
  readonly leaves: (Hash | undefined)[]
  beside: Beside[]
}

/** One folder's signed messages, put together again from their events: leaves, root, signature, and how they follow each other. */
export class Messages {
  readonly #deps: MessageDeps
  readonly #folder: FolderId
  /** The root of the latest message of an agent's epoch. */
  readonly #latest = new Map<string, { readonly root: Hash; readonly number: number }>()
  #open: Open | undefined
  /** Whether the stream is read from the middle on, so that a first message's link can't be known. */
  readonly #partial: boolean

  constructor(folder: FolderId, partial: boolean, deps: MessageDeps) {
    this.#folder = folder
    this.#partial = partial
    this.#deps = deps
  }

  /** An event of a signed message; `text`: the change that it embeds, as it was signed. */
  take(event: RecordedEvent, { agent, epoch, number, index, message, account, time }: EventMetadata, text: string | undefined): void {
    if (message !== undefined) this.#begin(event, message, account, time)
    const open = this.#open
    const head = open?.record.head
    if (open === undefined || head === undefined || event.revision > open.last)
      return this.#fault('change', event, 'it belongs to no signed message')
    if (agent !== head.agent || epoch !== head.epoch || number !== head.number || index === undefined)
      return this.#fault('change', event, 'it names another message than the one that it stands in')
    if (text === undefined) open.beside.push({ event, index })
    else this.#takeChange(open, event, index, text)
    if (event.revision === open.last) this.#finish()
  }

  /** Whether a message is still under way. */
  get isOpen(): boolean {
    return this.#open !== undefined
  }

  /** A whole message that is right in itself (segment.ts): what its sender and the one before it say of it. */
  takeChecked(at: At, { head, account, time, unchecked }: CheckedMessage): void {
    this.#checkLink(at, head)
    this.#checkSender(at, head.agent, account, time, unchecked)
  }

  /** Events before this revision are missing: a message that should have ended there has lost its rest. */
  lose(revision: number): void {
    if (this.#open !== undefined && this.#open.last < revision) this.#finish()
  }

  /** What is still open at the end of the stream has lost its rest. */
  end(): void {
    if (this.#open !== undefined) this.#finish()
  }

  #begin(event: RecordedEvent, record: MessageRecord, account: EventMetadata['account'], time: number): void {
    this.end()
    const { head, outcomes, refusedLeaves } = record
    const leaves: (Hash | undefined)[] = outcomes.map(() => undefined)
    for (const [index, leaf] of refusedLeaves) leaves[index] = leaf
    const last = outcomes.reduce(
      (latest, outcome) => (outcome.status === 200 ? Math.max(latest, outcome.revision) : latest),
      event.revision,
    )
    this.#open = { record, first: { stream: event.stream, revision: event.revision }, last, leaves, beside: [] }
    if (head.folder !== this.#folder) this.#fault('moved', event, `its message was signed for the folder ${head.folder}`)
    if (head.position >= event.revision)
      this.#fault('witness', event, 'its sender had seen more of the folder than there was: the log was cut, or made anew')
    else this.#witness(event, head.position, head.chain)
    this.#checkLink(event, head)
    this.#checkSender(event, head.agent, account, time, { text: headText(head), signature: record.signature })
  }

  #witness(event: RecordedEvent, position: number, chain: string): void {
    if (position < 0) return
    const claim = { stream: folderStream(this.#folder), revision: position, chain, kind: 'witness', by: atOf(event) } as const
    this.#deps.claims.take(claim)
  }

  #checkLink(event: At, head: CheckedMessage['head']): void {
    const sender = `${head.agent}${head.epoch}`
    const before = this.#latest.get(sender)
    this.#latest.set(sender, { root: head.root, number: head.number })
    if (before === undefined && this.#partial) return
    if (before !== undefined && head.number <= before.number)
      this.#fault('link', event, `message ${head.number} of its agent comes after ${before.number}`)
    else if (head.previous !== (before?.root ?? ''))
      this.#fault('link', event, 'its message does not follow the one before it of its agent: one is missing, or out of its place')
  }

  /** `signed`: what is left to check, if anything. */
  #checkSender(event: At, key: AgentKey, account: EventMetadata['account'], time: number, signed: CheckedMessage['unchecked']): void {
    const { people, signatures, isTrusted } = this.#deps
    const agent = people.author(event, key, account, time)
    const owner = people.ownerOf(this.#folder)
    if (owner !== undefined && account !== owner) this.#fault('agent', event, "its account is not the folder's")
    if (signed === undefined || agent === undefined || isTrusted(event.stream, event.revision)) return
    const fault = {
      kind: 'signature',
      ...atOf(event),
      reason: "its message's signature is not that of its agent's key over its head",
    } as const
    if (agent.publicKey === null) this.#deps.report({ ...fault, reason: 'its agent has no key that could have signed it' })
    else signatures.check(agent.publicKey, signed.text, signed.signature, fault)
  }

  #takeChange(open: Open, event: RecordedEvent, index: number, text: string): void {
    const leaf = leafHash(text)
    const { agent, epoch, number } = open.record.head
    if (index >= open.leaves.length || open.leaves[index] !== undefined)
      this.#fault('change', event, 'its message has no such change, or has it already')
    else open.leaves[index] = leaf
    const outcome = open.record.outcomes[index]
    if (outcome?.status !== 200 || outcome.revision !== event.revision)
      this.#fault('change', event, 'its message was answered otherwise: it is out of its place')
    open.beside.forEach((beside, at) => {
      const isIts = beside.index === index && eventId(agent, epoch, number, index, at + 1, leaf) === beside.event.id
      if (!isIts) this.#fault('id', beside.event, 'its id is not that of an event beside the next change')
    })
    open.beside = []
    if (eventId(agent, epoch, number, index, 0, leaf) !== event.id) this.#fault('id', event, 'its id is not that of its change')
  }

  #finish(): void {
    const open = this.#open
    this.#open = undefined
    if (open === undefined) return
    const { head } = open.record
    const missing = open.leaves.flatMap((leaf, index) => (leaf === undefined ? [index + 1] : []))
    const leaves = open.leaves.filter((leaf) => leaf !== undefined)
    if (missing.length > 0 || head.count !== open.leaves.length)
      this.#fault('change', open.first, `its message has ${head.count} changes, and lacks here: ${missing.join(', ') || 'some'}`)
    else if (merkleRoot(leaves) !== head.root) this.#fault('change', open.first, "its message's changes are not those that were signed")
  }

  #fault(kind: FaultKind, { stream, revision }: At, reason: string): void {
    this.#deps.report({ kind, stream, revision, reason })
  }
}

const atOf = ({ stream, revision }: At): At => ({ stream, revision })
