import { isUtf8 } from 'node:buffer'
import * as E from 'fp-ts/lib/Either.js'
import { parseJson, type Json, type JsonObject } from '../../protocol/json.ts'
import { MAX_HEAD, MAX_PAYLOAD } from '../port.ts'

/**
 * One frame: type (u8), correlation id (u32, big-endian), length of the head (u32, big-endian), head (JSON, UTF-8), payload.
 * An answer carries the id of its request; a challenge and a notification carry 0.
 */
export interface Frame {
  readonly type: FrameType
  readonly id: number
  readonly head: JsonObject
  readonly payload: Uint8Array
}

const TYPES = ['request', 'answer', 'notification', 'challenge'] as const
export type FrameType = (typeof TYPES)[number]

/** The bytes of one frame, in pieces: a large payload stays the piece that it was (bulk bytes pay for no copy). */
export type Pieces = readonly Uint8Array[]

/** What is wrong with a frame; `id` where it can be read, so that the sender of a request can be told. */
export interface FrameError {
  readonly id: number | undefined
  readonly code: 'format' | 'tooLarge'
  readonly reason: string
}

const PREFIX = 9
/** Below this size one copy is cheaper than another piece. */
const JOINED = 16 * 1024
/** No frame is longer. */
export const MAX_FRAME = PREFIX + MAX_HEAD + MAX_PAYLOAD

/** A left is the reason why the frame is larger than allowed. */
export const encodeFrame = (frame: Frame): E.Either<string, Pieces> => {
  const head = JSON.stringify(frame.head)
  const headBytes = Buffer.byteLength(head)
  if (headBytes > MAX_HEAD) return E.left(`The head has ${headBytes} bytes; at most ${MAX_HEAD} are allowed.`)
  const payloadBytes = frame.payload.byteLength
  if (payloadBytes > MAX_PAYLOAD) return E.left(`The payload has ${payloadBytes} bytes; at most ${MAX_PAYLOAD} are allowed.`)
  const joined = payloadBytes <= JOINED
  const first = Buffer.allocUnsafe(PREFIX + headBytes + (joined ? payloadBytes : 0))
  first.writeUInt8(TYPES.indexOf(frame.type) + 1, 0)
  first.writeUInt32BE(frame.id, 1)
  first.writeUInt32BE(headBytes, 5)
  first.write(head, PREFIX)
  if (joined) first.set(frame.payload, PREFIX + headBytes)
  return E.right(joined ? [first] : [first, frame.payload])
}

/** Reads a frame from its bytes, however they were cut into pieces; the payload is a view of them. */
export const decodeFrame = (pieces: Pieces): E.Either<FrameError, Frame> => {
  const first = asBuffer(pieces[0] ?? new Uint8Array(0))
  const whole = pieces.length < 2 || isHeadAlone(first, pieces.length) ? first : Buffer.concat(pieces)
  if (whole.byteLength < PREFIX)
    return E.left({ id: undefined, code: 'format', reason: `The frame has ${whole.byteLength} bytes; its prefix alone has ${PREFIX}.` })
  const id = whole.readUInt32BE(1)
  const wrong = (code: FrameError['code'], reason: string): E.Either<FrameError, never> => E.left({ id, code, reason })
  const type = TYPES[whole.readUInt8(0) - 1]
  if (type === undefined) return wrong('format', `The frame's type ${whole.readUInt8(0)} is unknown.`)
  const headEnd = PREFIX + whole.readUInt32BE(5)
  if (headEnd > PREFIX + MAX_HEAD) return wrong('tooLarge', `The head has ${headEnd - PREFIX} bytes; at most ${MAX_HEAD} are allowed.`)
  if (headEnd > whole.byteLength) return wrong('format', 'The frame ends before its head does.')
  const payload = whole === first && pieces[1] !== undefined ? pieces[1] : whole.subarray(headEnd)
  if (payload.byteLength > MAX_PAYLOAD)
    return wrong('tooLarge', `The payload has ${payload.byteLength} bytes; at most ${MAX_PAYLOAD} are allowed.`)
  const head = parseObject(whole.subarray(PREFIX, headEnd))
  return E.isLeft(head) ? wrong('format', head.left) : E.right({ type, id, head: head.right, payload })
}

/** JSON text in UTF-8 that holds one object; a left is the reason why it is not. */
export const parseObject = (text: Buffer): E.Either<string, JsonObject> => {
  if (!isUtf8(text)) return E.left('The message is not UTF-8.')
  // V8's own message quotes the input, which may be a password.
  const value = parseJson(text.toString('utf8'))
  if (value === undefined) return E.left('The message is not JSON.')
  return isObject(value) ? E.right(value) : E.left('The message is not a JSON object.')
}

const isObject = (value: Json): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

const isHeadAlone = (first: Buffer, pieces: number): boolean =>
  pieces === 2 && first.byteLength >= PREFIX && first.byteLength === PREFIX + first.readUInt32BE(5)

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
