import * as E from 'fp-ts/lib/Either.js'
import type { Hash } from '../../domain/content.ts'
import type { AccountId, AgentKey, FolderId } from '../../domain/events.ts'
import type { RecordedEvent } from '../../eventlog/port.ts'
import { encodeHead, readHead } from '../../protocol/head.ts'
import { parseJson, type JsonObject } from '../../protocol/json.ts'
import type { Head } from '../../protocol/messages.ts'
import { Reader, type Fields } from '../../protocol/reader.ts'

/** What an export says of itself, in its first line. */
export interface ExportHeader {
  readonly folder: FolderId
  readonly name: string
  readonly account: AccountId
  readonly email: string
  readonly from: number
  readonly to: number
  /** Only what is about this path, or lies under it; undefined: all. */
  readonly path: string | undefined
  readonly contents: boolean
  readonly time: string
  readonly gatewayKey: string
}

/** That an event's change is one of those that its agent signed, without the others: its leaf leads to the root of the signed head. */
export interface Proof {
  readonly head: Head
  readonly signature: string
  readonly index: number
  readonly path: readonly Hash[]
}

export type ExportRecord =
  | { readonly kind: 'Export'; readonly header: ExportHeader }
  /** `previous`: the chain before, where the line before is not the event before. */
  | { readonly kind: 'Event'; readonly event: RecordedEvent; readonly previous: string | undefined; readonly proof: Proof | undefined }
  | { readonly kind: 'Chunk'; readonly hash: Hash; readonly bytes: Buffer }
  /** A chunk that the store did not have any more. */
  | { readonly kind: 'Absent'; readonly hash: Hash; readonly reason: string }
  /** A checkpoint of the folder, as `audit checkpoint` prints it. */
  | { readonly kind: 'Checkpoint'; readonly text: string }
  | { readonly kind: 'End'; readonly lines: number; readonly digest: Hash; readonly signature: string }

export const endText = (digest: string): string => `eventsync-export\0${digest}`

export const encodeRecord = (record: ExportRecord): JsonObject => {
  switch (record.kind) {
    case 'Export': {
      const { folder, name, account, email, from, to, path, contents, time, gatewayKey } = record.header
      const where = path === undefined ? {} : { Path: path }
      return {
        Kind: 'Export',
        Format: 1,
        Folder: folder,
        Name: name,
        Account: account,
        Email: email,
        From: from,
        To: to,
        ...where,
        Contents: contents,
        Time: time,
        GatewayKey: gatewayKey,
      }
    }
    case 'Event': {
      const { stream, revision, id, type, data, metadata, chain } = record.event
      const { previous, proof } = record
      return {
        Kind: 'Event',
        Stream: stream,
        Revision: revision,
        Id: id,
        Type: type,
        Data: data,
        Metadata: metadata,
        Chain: chain,
        ...(previous === undefined ? {} : { Previous: previous }),
        ...(proof === undefined
          ? {}
          : { Proof: { Head: encodeHead(proof.head), Signature: proof.signature, Index: proof.index, Path: proof.path } }),
      }
    }
    case 'Chunk':
      return { Kind: 'Chunk', Hash: record.hash, Bytes: record.bytes.toString('base64') }
    case 'Absent':
      return { Kind: 'Absent', Hash: record.hash, Reason: record.reason }
    case 'Checkpoint':
      return { Kind: 'Checkpoint', Text: record.text }
    case 'End':
      return { Kind: 'End', Lines: record.lines, Digest: record.digest, Signature: record.signature }
  }
}

const TEXT = 64 * 1024 * 1024
const MAX_PATH = 64

/** Reads one line; left: what is wrong with it. */
export const decodeRecord = (line: string): E.Either<string, ExportRecord> => {
  const json = parseJson(line)
  if (json === undefined) return E.left('it is not JSON')
  const reader = new Reader()
  const record = readRecord(reader, reader.fields(json, ''))
  const read = reader.finish(record)
  return E.isLeft(read) ? E.left(`${read.left.field} ${read.left.reason}`) : E.right(read.right)
}

const readRecord = (reader: Reader, fields: Fields): ExportRecord => {
  const kind = fields.raw('Kind')
  switch (kind) {
    case 'Export':
      return { kind, header: readHeader(fields) }
    case 'Event':
      return {
        kind,
        event: readEvent(fields),
        previous: fields.has('Previous') ? fields.string('Previous', 64) : undefined,
        proof: readProof(reader, fields),
      }
    case 'Chunk':
      return { kind, hash: fields.hash('Hash'), bytes: Buffer.from(fields.string('Bytes', TEXT), 'base64') }
    case 'Absent':
      return { kind, hash: fields.hash('Hash'), reason: fields.string('Reason', TEXT) }
    case 'Checkpoint':
      return { kind, text: fields.string('Text', TEXT) }
    case 'End':
      return { kind, lines: fields.integer('Lines'), digest: fields.hash('Digest'), signature: fields.string('Signature', 88) }
    default:
      fields.fail('Kind', 'is not known')
      return { kind: 'Checkpoint', text: '' }
  }
}

const readHeader = (fields: Fields): ExportHeader => {
  if (fields.raw('Format') !== 1) fields.fail('Format', 'must be 1: a newer version of EventSync wrote it')
  return {
    folder: fields.folder('Folder'),
    name: fields.string('Name', TEXT),
    account: fields.account('Account'),
    email: fields.string('Email', TEXT),
    from: fields.integer('From'),
    to: fields.integer('To', -1),
    path: fields.has('Path') ? fields.string('Path', TEXT) : undefined,
    contents: fields.boolean('Contents'),
    time: fields.string('Time', 40),
    gatewayKey: fields.string('GatewayKey', 44),
  }
}

const readEvent = (fields: Fields): RecordedEvent => ({
  stream: fields.string('Stream', TEXT),
  revision: fields.integer('Revision'),
  id: fields.string('Id', 36),
  type: fields.string('Type', TEXT),
  data: fields.string('Data', TEXT),
  metadata: fields.string('Metadata', TEXT),
  chain: fields.string('Chain', 64),
  position: { order: 0n, token: '' },
})

const readProof = (reader: Reader, fields: Fields): Proof | undefined => {
  if (!fields.has('Proof')) return undefined
  const proof = fields.fields('Proof')
  const head = proof.fields('Head')
  // The key has the same form in a head and in an event.
  const agent: AgentKey = head.agentKey('Agent')
  return {
    head: readHead(head, agent),
    signature: proof.string('Signature', 88),
    index: proof.integer('Index'),
    path: proof.list('Path', MAX_PATH, (hash, at) => reader.hash(hash, at)),
  }
}
