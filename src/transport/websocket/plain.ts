import * as E from 'fp-ts/lib/Either.js'
import type { Clock } from '../../lib/clock.ts'
import { MAX_HEAD, MAX_PAYLOAD, NO_BYTES, type Envelope } from '../port.ts'
import type { Connection } from '../session/connection.ts'
import { parseObject } from '../session/framing.ts'
import { refusal } from '../session/refusal.ts'
import { piecesOf, type WebSocketPipe } from './pipe.ts'
import type { RawData } from './socket.ts'

/** An answer's payload goes out in binary messages of at most so many bytes. */
const PIECE = 1024 * 1024
/** A plain peer need not send pings of its own, and its pong may wait behind what it is sent. */
const PLAIN_PATIENCE = 9

/**
 * A peer that speaks PySync's JSON (shared/seed/PySync.md): a text message is a request, binary messages are the bytes of the file that it announced.
 * All are answered in order, one at a time; the answer's payload follows its text. An empty answer is not sent: more bytes are awaited.
 */
export const servePlain = (pipe: WebSocketPipe, connection: Connection, clock: Clock, closed: (reason: string) => void): void => {
  const reply = (answer: Envelope): Promise<void> => sendAnswer(pipe, connection, answer)
  const refuse = (refused: Envelope, reason: string): void => {
    connection.broken(reason)
    connection.respond(refused, reply)
  }
  const receiveText = (text: Buffer): void => {
    const long = `The message has ${text.byteLength} bytes; at most ${MAX_HEAD} are allowed.`
    if (text.byteLength > MAX_HEAD) return refuse(refusal(clock, 413, 'tooLarge', long), long)
    const message = parseObject(text)
    if (E.isLeft(message)) return refuse(refusal(clock, 400, 'format', message.left), message.left)
    connection.handle({ message: message.right, payload: NO_BYTES }, reply)
  }
  const receiveBytes = (bytes: Buffer): void => {
    for (let from = 0; from < bytes.byteLength; from += MAX_PAYLOAD) {
      connection.handle({ message: { Action: 'Bytes' }, payload: bytes.subarray(from, from + MAX_PAYLOAD) }, reply)
    }
  }
  const message = (data: RawData, isBinary: boolean): void => {
    if (connection.signal.aborted) return
    const bytes = Buffer.concat(piecesOf(data))
    if (isBinary) receiveBytes(bytes)
    else receiveText(bytes)
  }
  pipe.open(PLAIN_PATIENCE, message, closed)
}

const sendAnswer = async (pipe: WebSocketPipe, connection: Connection, { message, payload }: Envelope): Promise<void> => {
  if (Object.keys(message).length === 0) return
  await connection.put((flushed) => pipe.sendText(JSON.stringify(message), flushed))
  for (let from = 0; from < payload.byteLength; from += PIECE) {
    await connection.put((flushed) => pipe.sendPieces([payload.subarray(from, from + PIECE)], flushed))
  }
}
