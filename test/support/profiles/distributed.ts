import { openEventStoreLog } from '../../../src/eventlog/eventstoredb/log.ts'
import type { ObjectStore } from '../../../src/blobstore/port.ts'
import type { RecordedEvent } from '../../../src/eventlog/port.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { everything } from '../../contract/eventlog.support.ts'
import { addressOf, logServer } from '../eventstoredb/log-server.ts'
import type { Environment } from '../processes.ts'
import { rabbitVhost } from '../servers/rabbitmq-vhost.ts'
import { ownBucket } from '../servers/bucket.ts'
import { serverFor } from '../servers/server.ts'
import type { Profile } from './profile.ts'

export interface Distributed extends Profile {
  /** Where the contents are. */
  readonly store: ObjectStore
  /** What is another gateway's own, beside the first one. */
  readonly another: Environment
}

/** Servers that a test has for itself, instead of those of the run. */
export interface OwnServers {
  readonly broker?: string
  readonly log?: string
  /** Where the gateway finds the store, if it comes through a proxy. */
  readonly storePort?: number
}

const PAGE = 1000

const eventsAt = async (url: string): Promise<readonly RecordedEvent[]> => {
  await using log = openEventStoreLog({ address: addressOf(url), sleep: systemClock.sleep })
  return await everything(log, PAGE)
}

const needed = async (name: 'rabbitmq' | 's3'): Promise<string> => {
  const url = await serverFor(name)
  if (url === undefined) throw new Error(`there is no server "${name}"`)
  return url
}

/** The run's RabbitMQ and S3 server, a virtual host and a bucket of its own in them, and a log of its own. */
export const distributed = async ({ broker, log: ownLog, storePort }: OwnServers = {}): Promise<Distributed> => {
  await using parts = new AsyncDisposableStack()
  const { vhost, settings, another } = parts.use(await rabbitVhost(broker ?? (await needed('rabbitmq'))))
  const { url: bucket, store } = parts.use(await ownBucket(await needed('s3')))
  const log = ownLog === undefined ? parts.use(await logServer()) : { url: ownLog }
  const near = new URL(bucket)
  if (storePort !== undefined) near.host = `127.0.0.1:${storePort}`
  const all = parts.move()
  return {
    store,
    another,
    settings: { ...settings, EVENTSYNC_LOG_URL: log.url, EVENTSYNC_STORE_URL: near.href },
    devices: {},
    entrance: () => Number(new URL(vhost.agentUrl).port),
    urlAt: (port) => `amqp://127.0.0.1:${port}/${vhost.name}`,
    events: () => eventsAt(log.url),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}
