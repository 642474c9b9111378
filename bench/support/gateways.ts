import { mkdirSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { logServer } from '../../test/support/eventstoredb/log-server.ts'
import { Daemon } from '../../test/support/processes.ts'
import { startCeph } from '../../test/support/servers/ceph.ts'
import { freePorts } from '../../test/support/servers/ports.ts'
import { makeVhost } from '../../test/support/servers/rabbitmq-vhost.ts'
import { startRabbit } from '../../test/support/servers/rabbitmq.ts'

/** A broker and a store for several stacks, one after the other. */
export interface Servers {
  readonly rabbit: string
  readonly s3: string
}

export const startServers = async (directory: string, parts: AsyncDisposableStack): Promise<Servers> => {
  const rabbit = await startRabbit(join(directory, 'rabbitmq'))
  parts.defer(() => rabbit.stop())
  const s3 = await startCeph(join(directory, 's3'))
  parts.defer(() => s3.stop())
  return { rabbit: rabbit.url, s3: s3.url }
}

/** Some gateways over one broker, one log (a stand-in in this process, unless EVENTSYNC_TEST_ESDB_URL names a real one) and one store. */
export interface Gateways {
  /** As agents come. */
  readonly url: string
  readonly processes: readonly Daemon[]
}

const isReady = async (port: number): Promise<boolean> =>
  (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined))?.ok === true

/** Long enough for each to have heard of the others, and handed over. */
const AGREED_MS = 5000

export const startGateways = async (
  directory: string,
  { rabbit, s3 }: Servers,
  count: number,
  parts: AsyncDisposableStack,
): Promise<Gateways> => {
  const vhost = parts.use(await makeVhost(rabbit))
  const log = parts.use(await logServer())
  const auth = await freePorts(count)
  await vhost.answeredBy(...auth)
  const bucket = new URL(s3)
  bucket.pathname = `/bench-${crypto.randomUUID()}`
  const processes: Daemon[] = []
  const [first = '', ...others] = auth.map((_, at) => join(directory, `gateway-${at}`))
  for (const data of [first, ...others]) {
    mkdirSync(data, { recursive: true, mode: 0o700 })
    // One key, which agents pin.
    if (data !== first) await copyFile(join(first, 'gateway.pem'), join(data, 'gateway.pem'))
    const [port = 0] = await freePorts(1)
    const gateway = new Daemon(['serve', '--data', data, '--listen', `127.0.0.1:${port}`], {
      EVENTSYNC_AMQP_URL: vhost.url,
      EVENTSYNC_AMQP_MANAGEMENT_URL: vhost.managementUrl,
      EVENTSYNC_AMQP_AUTH_LISTEN: `127.0.0.1:${auth[processes.length]}`,
      EVENTSYNC_LOG_URL: log.url,
      EVENTSYNC_STORE_URL: bucket.href,
    })
    processes.push(parts.use(gateway))
    while (!(await isReady(port))) {
      if (!gateway.running) throw new Error(`a gateway ended: ${gateway.lines.slice(-5).join('\n')}`)
      await pause(50)
    }
  }
  if (count > 1) await pause(AGREED_MS)
  return { url: vhost.agentUrl, processes }
}
