import type { Environment } from './processes.ts'
import { freePorts } from './servers/ports.ts'
import { makeVhost, type TestVhost } from './servers/rabbitmq-vhost.ts'
import { World, type Device } from './world.ts'

/** A virtual host, and the settings of the gateway that serves it. */
export interface RabbitVhost extends AsyncDisposable {
  readonly vhost: TestVhost
  readonly settings: Environment
  /** What is another gateway's own, beside the first one. */
  readonly another: Environment
}

export const rabbitVhost = async (server: string): Promise<RabbitVhost> => {
  const vhost = await makeVhost(server)
  const [auth = 0, other = 0] = await freePorts(2)
  await vhost.answeredBy(auth, other)
  return {
    vhost,
    settings: {
      EVENTSYNC_AMQP_URL: vhost.url,
      EVENTSYNC_AMQP_MANAGEMENT_URL: vhost.managementUrl,
      EVENTSYNC_AMQP_AUTH_LISTEN: `127.0.0.1:${auth}`,
      EVENTSYNC_AMQP_SHARDS: '2',
    },
    another: { EVENTSYNC_AMQP_AUTH_LISTEN: `127.0.0.1:${other}` },
    [Symbol.asyncDispose]: () => vhost[Symbol.asyncDispose](),
  }
}

/** A gateway that serves RabbitMQ, too, in a virtual host of its own. */
export interface RabbitWorld extends AsyncDisposable {
  readonly world: World
  /** As agents come. */
  readonly url: string
  /** As gateways come: with credentials. */
  readonly gatewayUrl: string
  device(name: string, as?: { readonly email: string; readonly password: string }): Promise<Device>
}

export const createRabbitWorld = async (server: string, env: Environment = {}): Promise<RabbitWorld> => {
  await using parts = new AsyncDisposableStack()
  const { vhost, settings } = parts.use(await rabbitVhost(server))
  const world = parts.use(await World.create({ ...settings, ...env }))
  const all = parts.move()
  const url = vhost.agentUrl
  return {
    world,
    url,
    gatewayUrl: vhost.url,
    device: (name, as) => world.device(name, { url, ...as }),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}
