import type * as E from 'fp-ts/lib/Either.js'
import type { Chunk, Hash } from '../domain/content.ts'
import type { AgentKey } from '../domain/events.ts'
import { canonical } from './canonical.ts'
import { MAX_REASON, readChange } from './change-codec.ts'
import { readChunk } from './content-codec.ts'
import type { ProtocolError } from './error.ts'
import { readHashOrNothing, readHead } from './head.ts'
import { readHistoryQuery } from './history-query.ts'
import type { Json } from './json.ts'
import {
  MAX_CHANGES,
  MAX_CHANGES_BYTES,
  MAX_CONTENTS,
  MAX_CONTENTS_BYTES,
  MAX_HASHES,
  MAX_LOG_EVENTS,
  MAX_OPEN_FILES,
  type Request,
  type SignedBatch,
} from './messages.ts'
import { isPlain, readPlain, readUser } from './plain.ts'
import { Reader, type Fields } from './reader.ts'
import { isPublicKey, isSignature } from './signing.ts'

export { encodeRequest } from './request-writer.ts'

const MAX_NAME = 100
const MAX_NONCE = 128
const MAX_STREAM = 64
const NO_REQUEST: Request = { tag: 'Bytes' }

/** Reads a request. `plain`: its connection speaks PySync's JSON alone, so each of its messages proves itself by the password. */
export const decodeRequest = (message: Json, plain: boolean): E.Either<ProtocolError, Request> => {
  const reader = new Reader()
  const fields = reader.fields(message, '')
  return reader.finish(reader.failed ? NO_REQUEST : readRequest(reader, fields, plain))
}

const readRequest = (reader: Reader, fields: Fields, plain: boolean): Request => {
  const action = fields.raw('Action')
  // What is not understood is not passed over: whoever sends it would believe that it counts.
  if (fields.has('Timestamp')) fields.number('Timestamp')
  if (action === 'RegisterUser') return { tag: 'RegisterUser', ...readUser(fields.fields('Agent')) }
  if (action === 'RegisterAgent') return readRegisterAgent(fields)
  if (plain && action === 'Bytes') return { tag: 'Bytes' }
  if (plain || isPlain(fields)) return readPlain(fields)
  const key = fields.fields('Agent').agentKey('Key')
  return readSigned(reader, fields, key)
}

/** Requests of an agent that has signed in, and the sign-in itself. */
const readSigned = (reader: Reader, fields: Fields, key: AgentKey): Request => {
  switch (fields.raw('Action')) {
    case 'SignIn':
      return { tag: 'SignIn', key, nonce: fields.words('Nonce', MAX_NONCE), signature: readSignature(fields, 'Signature') }
    case 'Changes':
      return { tag: 'Changes', key, batch: readBatch(reader, fields, key) }
    case 'Missing':
      return { tag: 'Missing', key, folder: fields.folder('Folder'), chunks: readHashes(reader, fields, 'Chunks') }
    case 'Chunks':
      return { tag: 'Chunks', key, folder: fields.folder('Folder'), chunks: readContents(reader, fields) }
    case 'Sync':
      return {
        tag: 'Sync',
        key,
        folder: fields.folder('Folder'),
        position: fields.integer('Position', -1),
        chain: readHashOrNothing(fields, 'Chain'),
      }
    case 'Open':
      return {
        tag: 'Open',
        key,
        folder: fields.folder('Folder'),
        unchecked: fields.has('Unchecked') && fields.boolean('Unchecked'),
        files: readFiles(reader, fields),
      }
    case 'Synced':
      return {
        tag: 'Synced',
        key,
        folder: fields.folder('Folder'),
        position: fields.integer('Position'),
        chain: fields.hash('Chain'),
        signature: readSignature(fields, 'Signature'),
      }
    case 'ReadLog':
      return {
        tag: 'ReadLog',
        key,
        stream: fields.string('Stream', MAX_STREAM),
        from: fields.integer('From', -1),
        max: fields.integer('Max', 1, MAX_LOG_EVENTS),
      }
    case 'Audit':
      return { tag: 'Audit', key, folder: fields.folder('Folder'), query: readHistoryQuery(reader, fields.fields('Query')) }
    case 'Agents':
      return { tag: 'Agents', key }
    case 'RenameAgent':
      return { tag: 'RenameAgent', key, target: fields.agentKey('Target'), name: fields.words('Name', MAX_NAME) }
    case 'RevokeAgent':
      return { tag: 'RevokeAgent', key, target: fields.agentKey('Target'), reason: fields.words('Reason', MAX_REASON) }
    default:
      fields.fail('Action', 'is not an action of this protocol')
      return NO_REQUEST
  }
}

const readRegisterAgent = (fields: Fields): Request => {
  const agent = fields.fields('Agent')
  const key = agent.agentKey('Key')
  const enrols = agent.has('PublicKey') || agent.has('Proof')
  const vouched = agent.has('VouchedBy') || agent.has('Countersignature')
  return {
    tag: 'RegisterAgent',
    key,
    ...readUser(agent),
    name: agent.has('Name') ? agent.words('Name', MAX_NAME) : key,
    publicKey: enrols ? readPublicKey(agent) : undefined,
    proof: enrols ? readSignature(agent, 'Proof') : undefined,
    vouchedBy: vouched ? agent.agentKey('VouchedBy') : undefined,
    countersignature: vouched ? readSignature(agent, 'Countersignature') : undefined,
  }
}

const readPublicKey = (fields: Fields): string => {
  const key = fields.raw('PublicKey')
  if (isPublicKey(key)) return key
  fields.fail('PublicKey', 'must be the base64 of 32 bytes')
  return ''
}

const readSignature = (fields: Fields, field: string): string => {
  const signature = fields.raw(field)
  if (isSignature(signature)) return signature
  fields.fail(field, signature === undefined ? 'is missing' : 'must be the base64 of 64 bytes')
  return ''
}

/** What is signed is each change as it was sent: its canonical form is made of the JSON itself, not of what was read from it. */
const readBatch = (reader: Reader, fields: Fields, key: AgentKey): SignedBatch => {
  const head = readHead(fields, key)
  const texts: string[] = []
  const changes = fields.list('Changes', MAX_CHANGES, (json, at) => {
    const change = readChange(reader, json, at, false)
    if (!reader.failed) texts.push(canonical(json))
    return change
  })
  if (changes.length !== head.count) fields.fail('Count', 'must be the number of changes')
  if (texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) > MAX_CHANGES_BYTES)
    fields.fail('Changes', `must have at most ${MAX_CHANGES_BYTES} bytes in canonical form`)
  return {
    head,
    signature: readSignature(fields, 'Signature'),
    changes,
    canonical: texts,
    timestamp: fields.number('Timestamp'),
    contents: fields.has('Contents') ? readContents(reader, fields) : [],
  }
}

const readContents = (reader: Reader, fields: Fields): Chunk[] => {
  const chunks = fields.list('Contents', MAX_CONTENTS, (json, at) => readChunk(reader, json, at))
  if (chunks.reduce((sum, chunk) => sum + chunk.size, 0) > MAX_CONTENTS_BYTES)
    fields.fail('Contents', `must have at most ${MAX_CONTENTS_BYTES} bytes together`)
  return chunks
}

const readHashes = (reader: Reader, fields: Fields, field: string): Hash[] =>
  fields.list(field, MAX_HASHES, (json, at) => reader.hash(json, at))

type OpenFile = Extract<Request, { tag: 'Open' }>['files'][number]

const readFiles = (reader: Reader, fields: Fields): OpenFile[] => {
  const files = fields.list('Files', MAX_OPEN_FILES, (json, at): OpenFile => {
    const file = reader.fields(json, at)
    return { version: file.integer('Version'), chunks: readHashes(reader, file, 'Chunks') }
  })
  if (files.reduce((sum, file) => sum + file.chunks.length, 0) > MAX_HASHES)
    fields.fail('Files', `must name at most ${MAX_HASHES} chunks together`)
  return files
}
