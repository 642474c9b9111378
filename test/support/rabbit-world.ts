import type { Environment } from './processes.ts'
import { rabbitVhost } from './servers/rabbitmq-vhost.ts'
import { World, type Device } from './world.ts'

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
