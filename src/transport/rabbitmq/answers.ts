import type { Envelope } from '../port.ts'
import type { AmqpChannel, Delivery } from './amqp.ts'
import { CONTENT_TYPE } from './wire.ts'

/** An answer's payload to a client of PySync goes out in messages of at most so many bytes. */
const PIECE = 1024 * 1024

/** Publishes an answer to whom the message came from; resolves when the broker has it (or lost it). */
export const sendFramed = async (
  channel: AmqpChannel,
  { properties }: Delivery,
  body: Buffer,
  headers: { readonly 'x-shards': number; readonly 'x-answer': string },
): Promise<void> => {
  // Neither a sender of ours nor `mandatory`: an answer to somebody who has gone is nothing to be told of.
  await channel.publish('', String(properties.replyTo), body, {
    contentType: CONTENT_TYPE,
    correlationId: String(properties.correlationId ?? '0'),
    headers,
  })
}

/** JSON first, then the bytes that belong to it, all with the correlation id of the request. An empty answer is not sent: more bytes are awaited. */
export const sendPlain = async (channel: AmqpChannel, { properties }: Delivery, { message, payload }: Envelope): Promise<void> => {
  if (Object.keys(message).length === 0) return
  const common = properties.correlationId === undefined ? {} : { correlationId: String(properties.correlationId) }
  const send = (content: Buffer, contentType: string): Promise<unknown> =>
    channel.publish('', String(properties.replyTo), content, { ...common, contentType })
  const pieces: Promise<unknown>[] = [send(Buffer.from(JSON.stringify(message)), 'application/json')]
  for (let from = 0; from < payload.byteLength; from += PIECE)
    pieces.push(send(Buffer.from(payload.subarray(from, from + PIECE)), 'application/octet-stream'))
  await Promise.all(pieces)
}
