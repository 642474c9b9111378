import type { AmqpChannel, QueueOptions } from './amqp.ts'
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

/** Everything that lasts on the broker; declaring it again changes nothing. Rejects where something is there in another form. */
export const declareTopology = async (channel: AmqpChannel, shards: number): Promise<void> => {
  await channel.exchange(DEAD, 'fanout')
  await channel.queue(DEAD, { durable: true, arguments: { 'x-queue-type': 'quorum', 'x-max-length-bytes': DEAD_BYTES } })
  await channel.bind(DEAD, DEAD, '')
  for (const exchange of [REQUESTS, CHUNKS, PYSYNC]) await channel.exchange(exchange, 'direct')
  await channel.exchange(NOTIFICATIONS, 'topic')
  await channel.exchange(GATEWAYS, 'fanout')
  for (let shard = 0; shard < shards; shard += 1) {
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
