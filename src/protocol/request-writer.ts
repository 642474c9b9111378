import { encodeChunks } from './content-codec.ts'
import { encodeHead } from './head.ts'
import { encodeHistoryQuery } from './history-query.ts'
import type { Json, JsonObject } from './json.ts'
import type { Request, SignedBatch } from './messages.ts'
import { encodePlainAction, encodeUser } from './plain.ts'

/** A request with its names on the wire; `timestamp` in seconds. */
export const encodeRequest = (request: Request, timestamp: number): JsonObject => {
  const action = request.tag === 'Plain' ? request.action.tag : request.tag
  return { Action: action, Timestamp: timestamp, ...encodeFields(request) }
}

const encodeFields = (request: Request): JsonObject => {
  switch (request.tag) {
    case 'RegisterUser':
      return { Agent: { User: encodeUser(request) } }
    case 'RegisterAgent':
      return encodeRegisterAgent(request)
    case 'Plain':
      return { Agent: { Key: request.key, User: encodeUser(request) }, ...encodePlainAction(request.action) }
    case 'Bytes':
      return {}
    case 'Changes':
      return encodeBatch(request.batch)
    default:
      return { Agent: { Key: request.key }, ...encodeSigned(request) }
  }
}

const encodeRegisterAgent = (request: Extract<Request, { tag: 'RegisterAgent' }>): JsonObject => {
  const { key, name, publicKey, proof, vouchedBy, countersignature } = request
  const enrolment = publicKey === undefined || proof === undefined ? {} : { PublicKey: publicKey, Proof: proof }
  const voucher =
    vouchedBy === undefined || countersignature === undefined ? {} : { VouchedBy: vouchedBy, Countersignature: countersignature }
  return { Agent: { Key: key, User: encodeUser(request), Name: name, ...enrolment, ...voucher } }
}

const encodeBatch = ({ head, signature, canonical: texts, contents, timestamp }: SignedBatch): JsonObject => {
  const { Agent: key, ...rest } = encodeHead(head)
  return {
    Timestamp: timestamp,
    Agent: { Key: key ?? '' },
    ...rest,
    Signature: signature,
    Contents: encodeChunks(contents),
    // Canonical JSON, made of a change by `signBatch` or by the decoder: what was signed goes out, byte for byte in meaning.
    Changes: texts.map((text) => JSON.parse(text) as Json),
  }
}

type Signed = Exclude<Request, { tag: 'RegisterUser' | 'RegisterAgent' | 'Plain' | 'Bytes' | 'Changes' }>

const encodeSigned = (request: Signed): JsonObject => {
  switch (request.tag) {
    case 'SignIn':
      return { Nonce: request.nonce, Signature: request.signature }
    case 'Missing':
      return { Folder: request.folder, Chunks: request.chunks }
    case 'Chunks':
      return { Folder: request.folder, Contents: encodeChunks(request.chunks) }
    case 'Sync':
      return { Folder: request.folder, Position: request.position, Chain: request.chain }
    case 'Open':
      return {
        Folder: request.folder,
        Files: request.files.map(({ version, chunks }) => ({ Version: version, Chunks: chunks })),
        ...(request.unchecked && { Unchecked: true }),
      }
    case 'Synced':
      return { Folder: request.folder, Position: request.position, Chain: request.chain, Signature: request.signature }
    case 'ReadLog':
      return { Stream: request.stream, From: request.from, Max: request.max }
    case 'Audit':
      return { Folder: request.folder, Query: encodeHistoryQuery(request.query) }
    case 'Agents':
      return {}
    case 'RenameAgent':
      return { Target: request.target, Name: request.name }
    case 'RevokeAgent':
      return { Target: request.target, Reason: request.reason }
  }
}
