import * as E from 'fp-ts/lib/Either.js'
import type { StoreError } from '../../blobstore/port.ts'
import type { Hash } from '../../domain/content.ts'
import { isFileEvent } from '../../domain/tree.ts'
import type { EventReader, ReadError, RecordedEvent } from '../../eventlog/port.ts'
import { decodeAccountEvent, decodeAgentEvent, decodeFolderEvent, decodeMetadata } from '../../protocol/event-codec.ts'
import { embeddedText } from '../../protocol/folder-event-codec.ts'
import { decodeManifest } from '../../protocol/manifest.ts'
import { inclusionPaths, leafHash } from '../../protocol/merkle.ts'
import { accountStream, agentStream, folderStream } from '../../protocol/streams.ts'
import { keyOfHash, NOWHERE, Table } from '../verify/table.ts'
import type { ExportHeader, ExportRecord, Proof } from './record.ts'

export interface ExportSource {
  readonly log: Pick<EventReader, 'read'>
  readonly chunk: (hash: Hash) => Promise<E.Either<StoreError, Buffer>>
}

type Records = AsyncGenerator<E.Either<ReadError, ExportRecord>, void>

const PAGE = 256

/** The records of an export between its header and its end: who there is, what happened, who saw it, and the contents. Holds one message at a time. */
export async function* exportRecords(source: ExportSource, header: ExportHeader): Records {
  const agents: string[] = []
  for await (const record of accountRecords(source, header, agents)) yield record
  const written = new Table(0)
  for await (const record of folderRecords(source, header)) {
    yield record
    if (E.isRight(record) && record.right.kind === 'Event' && header.contents) yield* contentRecords(source, written, record.right.event)
  }
  if (isWhole(header)) for (const agent of agents) yield* witnessRecords(source, header, agent)
}

/** All of the folder's events from its first on: then everything can be judged, and not only each for itself. */
export const isWhole = ({ from, path }: ExportHeader): boolean => from === 0 && path === undefined

async function* eventsOf(
  { log }: ExportSource,
  stream: string,
  from: number,
  to: number,
): AsyncGenerator<E.Either<ReadError, RecordedEvent>, void> {
  for (let next = from; next <= to;) {
    const page = await log.read(stream, next, Math.min(PAGE, to - next + 1))()
    if (E.isLeft(page)) {
      yield page
      return
    }
    if (page.right.length === 0) return
    for (const event of page.right) yield E.right(event)
    next += page.right.length
  }
}

/** The devices of the folder's account. Its registration is left out: it holds the password's verifier. */
async function* accountRecords(source: ExportSource, { account }: ExportHeader, agents: string[]): Records {
  let before: RecordedEvent | undefined
  let last: RecordedEvent | undefined
  for await (const read of eventsOf(source, accountStream(account), 0, Number.MAX_SAFE_INTEGER)) {
    if (E.isLeft(read)) {
      yield read
      return
    }
    const event = read.right
    const decoded = decodeAccountEvent(event)
    const known = E.isRight(decoded) ? decoded.right : undefined
    if (known?.type === 'AgentRegistered') agents.push(known.agent)
    if (known?.type === 'AgentRegistered' || known?.type === 'AgentRenamed' || known?.type === 'AgentRevoked') {
      yield E.right({
        kind: 'Event',
        event,
        previous: last === before && before !== undefined ? undefined : (before?.chain ?? ''),
        proof: undefined,
      })
      last = event
    }
    before = event
  }
}

async function* witnessRecords(source: ExportSource, { folder, to }: ExportHeader, agent: string): Records {
  let before: RecordedEvent | undefined
  // The form of an agent's key was checked when its event was read.
  for await (const read of eventsOf(source, agentStream(agent as Parameters<typeof agentStream>[0]), 0, Number.MAX_SAFE_INTEGER)) {
    if (E.isLeft(read)) {
      yield read
      return
    }
    const decoded = decodeAgentEvent(read.right)
    if (E.isRight(decoded) && decoded.right.folder === folder && decoded.right.position <= to)
      yield E.right({ kind: 'Event', event: read.right, previous: before?.chain ?? '', proof: undefined })
    before = read.right
  }
}

/** Events of one message. */
interface Message {
  readonly before: string
  readonly events: readonly RecordedEvent[]
}

async function* folderRecords(source: ExportSource, header: ExportHeader): Records {
  const stream = folderStream(header.folder)
  let last: string | undefined
  for await (const read of messagesOf(source, stream, header.from, header.to)) {
    if (E.isLeft(read)) {
      yield read
      return
    }
    const { events } = read.right
    const proofs = isWhole(header) ? undefined : proofsOf(events)
    let { before } = read.right
    for (const event of events) {
      if (event.revision >= header.from && event.revision <= header.to && isAbout(event, header.path)) {
        yield E.right({ kind: 'Event', event, previous: before === last ? undefined : before, proof: proofs?.get(event.revision) })
        last = event.chain
      }
      before = event.chain
    }
  }
}

/** From the beginning of the message in which the first revision lies to the end of that with the last. */
async function* messagesOf(
  source: ExportSource,
  stream: string,
  from: number,
  to: number,
): AsyncGenerator<E.Either<ReadError, Message>, void> {
  const start = await beginningOf(source, stream, from)
  if (E.isLeft(start)) {
    yield start
    return
  }
  let { before } = start.right
  let events: RecordedEvent[] = []
  let end = -1
  for await (const read of eventsOf(source, stream, start.right.revision, Number.MAX_SAFE_INTEGER)) {
    if (E.isLeft(read)) {
      yield read
      return
    }
    const event = read.right
    if (event.revision > end) {
      const done = events.at(-1)
      if (done !== undefined) yield E.right({ before, events })
      if (event.revision > to) return
      before = done?.chain ?? before
      events = []
      end = endOf(event)
    }
    events.push(event)
  }
  if (events.length > 0) yield E.right({ before, events })
}

const MAX_MESSAGE = 4096

const beginningOf = async (
  { log }: Pick<ExportSource, 'log'>,
  stream: string,
  from: number,
): Promise<E.Either<ReadError, { readonly revision: number; readonly before: string }>> => {
  const first = Math.max(0, from - MAX_MESSAGE)
  let found = { revision: 0, before: '' }
  let before = ''
  for (let next = first; next <= from; next += PAGE) {
    const page = await log.read(stream, next, Math.min(PAGE, from - next + 1))()
    if (E.isLeft(page)) return page
    for (const event of page.right) {
      if (isFirst(event) && event.revision > first) found = { revision: event.revision, before }
      before = event.chain
    }
  }
  return E.right(found)
}

/** Whether a message begins with it, or it stands for itself. */
const isFirst = (event: RecordedEvent): boolean => {
  const metadata = decodeMetadata(event.metadata)
  return E.isLeft(metadata) || metadata.right.message !== undefined || metadata.right.proof !== 'signed'
}

/** The last revision of the message that begins with an event. */
const endOf = (event: RecordedEvent): number => {
  const metadata = decodeMetadata(event.metadata)
  const outcomes = E.isRight(metadata) ? (metadata.right.message?.outcomes ?? []) : []
  return outcomes.reduce((end, outcome) => (outcome.status === 200 ? Math.max(end, outcome.revision) : end), event.revision)
}

const proofsOf = (events: readonly RecordedEvent[]): ReadonlyMap<number, Proof> => {
  const proofs = new Map<number, Proof>()
  const first = events[0] === undefined ? undefined : decodeMetadata(events[0].metadata)
  const message = first !== undefined && E.isRight(first) ? first.right.message : undefined
  if (message === undefined) return proofs
  const leaves = message.outcomes.map((): Hash | undefined => undefined)
  for (const [index, leaf] of message.refusedLeaves) leaves[index] = leaf
  const own = new Map<number, number>()
  for (const { revision, data } of events) {
    const index = message.outcomes.findIndex((outcome) => outcome.status === 200 && outcome.revision === revision)
    const text = embeddedText(data)
    if (index < 0 || text === undefined) continue
    leaves[index] = leafHash(text)
    own.set(revision, index)
  }
  const known = leaves.filter((leaf) => leaf !== undefined)
  if (known.length !== leaves.length) return proofs
  const { paths } = inclusionPaths(known)
  for (const [revision, index] of own)
    proofs.set(revision, { head: message.head, signature: message.signature, index, path: paths[index] ?? [] })
  return proofs
}

const isAbout = (event: RecordedEvent, path: string | undefined): boolean => {
  if (path === undefined) return true
  const decoded = decodeFolderEvent(event)
  if (E.isLeft(decoded) || !isFileEvent(decoded.right)) return false
  const of = decoded.right
  return [of.path, ...(of.type === 'FileMoved' ? [of.from] : [])].some((at) => at === path || at.startsWith(`${path}/`))
}

/** The chunks that an event names and none before it did; a list of chunks comes before those. */
async function* contentRecords(source: ExportSource, written: Table, event: RecordedEvent): Records {
  const decoded = decodeFolderEvent(event)
  if (E.isLeft(decoded) || !isFileEvent(decoded.right) || decoded.right.type === 'FileDeleted') return
  const { manifest } = decoded.right.content
  if (manifest.tag === 'chunks') {
    for (const { hash } of manifest.chunks) if (isFresh(written, hash)) yield E.right(await chunkRecord(source, hash))
    return
  }
  if (!isFresh(written, manifest.hash)) return
  const list = await chunkRecord(source, manifest.hash)
  yield E.right(list)
  const chunks = list.kind === 'Chunk' ? decodeManifest(list.bytes) : E.right([])
  if (E.isRight(chunks)) for (const { hash } of chunks.right) if (isFresh(written, hash)) yield E.right(await chunkRecord(source, hash))
}

const isFresh = (written: Table, hash: Hash): boolean => {
  const key = keyOfHash(hash)
  if (written.find(key) !== NOWHERE) return false
  written.add(key)
  return true
}

const chunkRecord = async ({ chunk }: ExportSource, hash: Hash): Promise<Extract<ExportRecord, { kind: 'Chunk' | 'Absent' }>> => {
  const read = await chunk(hash)
  if (E.isRight(read)) return { kind: 'Chunk', hash, bytes: read.right }
  return { kind: 'Absent', hash, reason: 'reason' in read.left ? read.left.reason : 'it is not stored' }
}

/** The end of the message in which a revision lies: an export that begins at the beginning cuts none. */
export const messageEnd = async (
  source: Pick<ExportSource, 'log'>,
  stream: string,
  revision: number,
): Promise<E.Either<ReadError, number>> => {
  const start = await beginningOf(source, stream, revision)
  if (E.isLeft(start)) return start
  const first = await source.log.read(stream, start.right.revision, 1)()
  return E.map((events: readonly RecordedEvent[]) => Math.max(revision, ...events.map(endOf)))(first)
}
