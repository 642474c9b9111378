import * as E from 'fp-ts/lib/Either.js'
import type { GatewayConfig } from '../../config.ts'
import { systemClock } from '../../lib/clock.ts'
import { AmqpConnection, BrokerError } from '../../transport/rabbitmq/amqp.ts'
import { DEAD, REQUESTS, requestQueue } from '../../transport/rabbitmq/names.ts'
import { ask, membersOf, type Asked } from './ask.ts'
import { checker, type Check } from './check.ts'
import { checkClock } from './clock.ts'

type Broker = Extract<GatewayConfig['queue'], { tag: 'rabbitmq' }>

const as = checker('queue')
const PATIENCE_MS = 8000
const OLDEST = [3, 10] as const
const MANAGEMENT_TODO = 'enable rabbitmq_management, and check EVENTSYNC_AMQP_MANAGEMENT_URL: it needs an administrator of the broker'

/** Whether the broker takes this user, its version, alarms and disk, and whether what the gateways declare is there. Declares nothing. */
export const checkQueue = async (broker: Broker): Promise<readonly Check[]> => [await connects(broker), ...(await managed(broker))]

const connects = async ({ url }: Broker): Promise<Check> => {
  try {
    await using connection = await AmqpConnection.open({ url }, 'eventsync doctor', AbortSignal.timeout(PATIENCE_MS))
    return connection.blocked
      ? as.warning('connection', 'the broker has an alarm', 'give it memory or disk')
      : as.ok('connection', 'the user is let in')
  } catch (error) {
    // What AmqpConnection rejects with is meant to be shown, and holds no address.
    const found = error instanceof Error ? error.message : 'it cannot be reached'
    return error instanceof BrokerError && error.tag === 'refused'
      ? as.failed('refused', 'connection', found, 'check the user, password and virtual host in EVENTSYNC_AMQP_URL')
      : as.failed('unreachable', 'connection', found, 'start the broker, and check EVENTSYNC_AMQP_URL (scheme, host, port)')
  }
}

type Api = (path: string) => Promise<E.Either<string, Asked>>

const apiOf = (managementUrl: string): Api => {
  const url = new URL(managementUrl)
  const authorization = `Basic ${Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString('base64')}`
  return (path) => ask(`${url.protocol}//${url.host}/api/${path}`, { authorization })
}

const managed = async (broker: Broker): Promise<readonly Check[]> => {
  const api = apiOf(broker.managementUrl)
  const overview = await api('overview')
  if (E.isLeft(overview)) return [as.failed('unreachable', 'management', `it does not answer (${overview.left})`, MANAGEMENT_TODO)]
  const { status, body, date } = overview.right
  if (status !== 200) return [as.failed('refused', 'management', `it answers ${status}`, MANAGEMENT_TODO)]
  const clock = checkClock(as, date, systemClock.wall())
  return [version(membersOf(body)), clock, await administrator(api), ...(await nodes(api)), await topology(api, broker)]
}

const version = ({ rabbitmq_version: text }: Readonly<Record<string, unknown>>): Check => {
  const [major = 0, minor = 0] = String(text).split('.').map(Number)
  const old = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])
  return old
    ? as.failed('failed', 'version', `RabbitMQ ${String(text)} is too old`, `install ${OLDEST.join('.')} or newer`)
    : as.ok('version', `RabbitMQ ${String(text)}`)
}

const administrator = async (api: Api): Promise<Check> => {
  const answer = await api('whoami')
  const { tags } = E.isRight(answer) ? membersOf(answer.right.body) : {}
  return String(tags).split(',').includes('administrator')
    ? as.ok('rights', 'the management user is an administrator')
    : as.failed('refused', 'rights', 'the management user is no administrator: revoked devices could not be cut off', MANAGEMENT_TODO)
}

type Row = Readonly<Record<string, unknown>>

const listOf = async (api: Api, path: string): Promise<readonly Row[]> => {
  const answer = await api(path)
  if (E.isLeft(answer) || !answer.right.body.startsWith('[')) return []
  return Object.values(membersOf(answer.right.body)).map((row): Row => (typeof row === 'object' && row !== null ? { ...row } : {}))
}

const GIB = 1024 ** 3

const nodes = async (api: Api): Promise<readonly Check[]> =>
  (await listOf(api, 'nodes')).map((node) => {
    const what = `node ${String(node['name'])}`
    if (node['running'] !== true) return as.failed('failed', what, 'it is not running', 'start it again')
    if (node['mem_alarm'] === true)
      return as.failed('failed', what, 'it has a memory alarm: nobody can publish', 'give it memory, or look which queue grows')
    if (node['disk_free_alarm'] === true)
      return as.failed('failed', what, 'it has a disk alarm: nobody can publish', 'make room on its disk')
    const free = Number(node['disk_free'])
    const limit = Number(node['disk_free_limit'])
    const found = Number.isFinite(free) ? `${(free / GIB).toFixed(1)} GiB free` : 'it runs'
    return free < 2 * limit
      ? as.warning(what, found, `make room: below ${(limit / GIB).toFixed(1)} GiB it takes no messages`)
      : as.ok(what, found)
  })

const topology = async (api: Api, { url, shards }: Broker): Promise<Check> => {
  const vhost = decodeURIComponent(new URL(url).pathname.slice(1)) || '/'
  const queues = new Map((await listOf(api, `queues/${encodeURIComponent(vhost)}`)).map((queue) => [String(queue['name']), queue]))
  const there = [...queues.keys()].filter((name) => name.startsWith(`${REQUESTS}.`))
  if (there.length === 0)
    return as.warning('topology', `nothing of EventSync is in the virtual host ${vhost} yet`, 'the first gateway declares it at its start')
  const wanted = Array.from({ length: shards }, (_, shard) => requestQueue(shard))
  if (there.length !== shards || wanted.some((name) => !queues.has(name)))
    return as.failed(
      'failed',
      'topology',
      `${there.length} request queues are there, and EVENTSYNC_AMQP_SHARDS is ${shards}`,
      'set it to the number that was chosen at the installation',
    )
  const idle = wanted.filter((name) => queues.get(name)?.['consumers'] === 0).length
  if (idle > 0) return as.warning('topology', `nobody reads ${idle} of ${shards} request queues`, 'start a gateway')
  const dead = Number(queues.get(DEAD)?.['messages'] ?? 0)
  return dead > 0
    ? as.warning('topology', `${dead} dead letters`, 'look at them with eventsync dead-letters: each says why it is there')
    : as.ok('topology', `${shards} request queues, each with a reader`)
}
