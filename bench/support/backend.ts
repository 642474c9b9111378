import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { mortalServer } from '../../test/support/eventstoredb/mortal.ts'
import { ownBucket } from '../../test/support/servers/bucket.ts'
import { startCeph } from '../../test/support/servers/ceph.ts'
import { rabbitVhost } from '../../test/support/servers/rabbitmq-vhost.ts'
import { startRabbit } from '../../test/support/servers/rabbitmq.ts'

/** What one gateway works on, and how devices reach it. */
export interface Backend extends AsyncDisposable {
  /** The gateway's settings. */
  readonly settings: Readonly<Record<string, string | undefined>>
  /** The port that devices come in at, of a gateway that listens at `port`. */
  entrance(port: number): number
  urlAt(port: number): string
}

/** A fresh one for each stack. */
export type Backends = AsyncDisposable & { fresh(): Promise<Backend> }

export const embedded: Backends = {
  fresh: async () => ({
    settings: {},
    entrance: (port) => port,
    urlAt: (port) => `ws://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => undefined,
  }),
  [Symbol.asyncDispose]: async () => undefined,
}

/** RabbitMQ, an EventStoreDB and Ceph's S3 server, started for this run, on loopback and without TLS. */
export const distributed = async (directory: string): Promise<Backends> => {
  // The stand-in of the tests would run in this process, and measure itself.
  if (process.env['EVENTSYNC_TEST_ESDB_COMMAND'] === undefined)
    throw new Error('EVENTSYNC_TEST_ESDB_COMMAND has to say how an EventStoreDB is run (docs/eventstoredb.md, "Tested with")')
  mkdirSync(directory, { recursive: true })
  await using parts = new AsyncDisposableStack()
  parts.defer(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }))
  const broker = parts.adopt(await startRabbit(join(directory, 'broker')), (server) => server.stop())
  const store = parts.adopt(await startCeph(join(directory, 'store')), (server) => server.stop())
  const log = parts.use(await mortalServer())
  const all = parts.move()
  return {
    fresh: () => freshOn(broker.url, store.url, log.url),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

const freshOn = async (broker: string, store: string, log: string): Promise<Backend> => {
  await using parts = new AsyncDisposableStack()
  const { vhost, settings } = parts.use(await rabbitVhost(broker))
  const bucket = parts.use(await ownBucket(store))
  const all = parts.move()
  return {
    settings: { ...settings, EVENTSYNC_STORE_URL: bucket.url, EVENTSYNC_LOG_URL: `${log}&streamPrefix=${vhost.name}-` },
    entrance: () => Number(new URL(vhost.agentUrl).port),
    urlAt: (port) => `amqp://127.0.0.1:${port}/${vhost.name}`,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}
