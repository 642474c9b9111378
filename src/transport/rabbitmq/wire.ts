import * as E from 'fp-ts/lib/Either.js'
import type { Envelope } from '../port.ts'
import { decodeFrame, encodeFrame, type Frame, type FrameError, type FrameType } from '../session/framing.ts'

/** A message's body is one frame of the WebSocket's form (docs/protocol.md); its correlation id is the message's own. */
export const bodyOf = (type: FrameType, { message, payload }: Envelope): E.Either<string, Buffer> =>
  E.map((pieces: readonly Uint8Array[]) => Buffer.concat(pieces))(encodeFrame({ type, id: 0, head: message, payload }))

export const frameIn = (body: Buffer): E.Either<FrameError, Frame> => decodeFrame([body])

/** Its content type, by which PySync's JSON is told apart. */
export const CONTENT_TYPE = 'application/vnd.eventsync.1'
