import { freePorts } from './servers/ports.ts'
import { makeVhost } from './servers/rabbitmq-vhost.ts'
import { World, type Device } from './world.ts'

/** A gateway that serves RabbitMQ, too, in a virtual host of its own. */
export interface RabbitWorld extends AsyncDisposable {
  readonly world: World
  /** As agents come. */
  readonly url: string
  device(name: string, as?: { readonly email: string; readonly password: string }): Promise<Device>
}

export const createRabbitWorld = async (server: string, env: Readonly<Record<string, string>> = {}): Promise<RabbitWorld> => {
  await using parts = new AsyncDisposableStack()
  const vhost = parts.use(await makeVhost(server))
  const [auth = 0] = await freePorts(1)
  await vhost.answeredBy(auth)
  const world = parts.use(
    await World.create({
      EVENTSYNC_AMQP_URL: vhost.url,
      EVENTSYNC_AMQP_MANAGEMENT_URL: vhost.managementUrl,
      EVENTSYNC_AMQP_AUTH_LISTEN: `127.0.0.1:${auth}`,
      EVENTSYNC_AMQP_SHARDS: '2',
      ...env,
    }),
  )
  const all = parts.move()
  const url = vhost.agentUrl
  return {
    world,
    url,
    device: (name, as) => world.device(name, { url, ...as }),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}
