import type { AmqpChannel, AmqpConnection, QueueOptions } from './amqp.ts'
import { CHUNKS, DEAD, GATEWAYS, NOTIFICATIONS, PYSYNC, REQUESTS, requestQueue } from './names.ts'

/** A message that was delivered so often, and never answered, is set aside. */
const DELIVERY_LIMIT = 20
/** Chunks on their way: beyond this the broker refuses more, and the sender waits (I16). */
const CHUNK_BYTES = 256 * 1024 * 1024
const REQUEST_BYTES = 256 * 1024 * 1024
/** Of dead letters the oldest go first. */
const DEAD_BYTES = 256 * 1024 * 1024

const quorum = (options: Readonly<Record<string, unknown>>): QueueOptions => ({
  durable: true,
  arguments: { 'x-queue-type': 'quorum', 'x-single-active-consumer': true, 'x-delivery-limit': DELIVERY_LIMIT, ...options },
})

const REQUEST_QUEUE = quorum({
  'x-dead-letter-exchange': DEAD,
  'x-max-length-bytes': REQUEST_BYTES,
  'x-overflow': 'reject-publish',
})

/** The broker's request queues are of another number than this gateway's setting. */
export class OtherShards extends Error {}

/** Rejects where this installation was made with another number of request queues: a folder's requests would go to two of them. */
export const checkShards = async (connection: AmqpConnection, shards: number): Promise<void> => {
  const [first, last, beyond] = [requestQueue(0), requestQueue(shards - 1), requestQueue(shards)]
  if (!(await connection.hasQueue(first)) || ((await connection.hasQueue(last)) && !(await connection.hasQueue(beyond)))) return
  throw new OtherShards(
    `the broker has another number of request queues than ${shards}: set EVENTSYNC_AMQP_SHARDS to the number that the installation was made with`,
  )
}

/** Everything that lasts on the broker; declaring it again changes nothing. Rejects where something is there in another form. */
export const declareTopology = async (channel: AmqpChannel, shards: number): Promise<void> => {
  await channel.exchange(DEAD, 'fanout')
  await channel.queue(DEAD, { durable: true, arguments: { 'x-queue-type': 'quorum', 'x-max-length-bytes': DEAD_BYTES } })
  await channel.bind(DEAD, DEAD, '')
  for (const exchange of [REQUESTS, CHUNKS, PYSYNC]) await channel.exchange(exchange, 'direct')
  await channel.exchange(NOTIFICATIONS, 'topic')
  await channel.exchange(GATEWAYS, 'fanout')
  // The last first: the first one shows that all are there.
  for (let shard = shards - 1; shard >= 0; shard -= 1) {
    await channel.queue(requestQueue(shard), REQUEST_QUEUE)
    await channel.bind(requestQueue(shard), REQUESTS, String(shard))
  }
  await channel.queue(PYSYNC, REQUEST_QUEUE)
  await channel.bind(PYSYNC, PYSYNC, '')
  await channel.queue(CHUNKS, {
    durable: true,
    arguments: { 'x-queue-type': 'classic', 'x-max-length-bytes': CHUNK_BYTES, 'x-overflow': 'reject-publish' },
  })
  await channel.bind(CHUNKS, CHUNKS, '')
}
