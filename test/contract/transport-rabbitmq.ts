import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AgentKey } from '../../src/domain/events.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { brokerAuth, type BrokerUsers } from '../../src/transport/rabbitmq/broker-auth.ts'
import { createRabbitClient } from '../../src/transport/rabbitmq/client.ts'
import { createManagement, type Management } from '../../src/transport/rabbitmq/management.ts'
import { createRabbitServer, type BrokerState } from '../../src/transport/rabbitmq/server.ts'
import { makeVhost, type TestVhost } from '../support/servers/rabbitmq-vhost.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import type { ClientOptions, TransportFixture } from './transport.adapters.ts'
import { AGENT } from './transport.support.ts'
import { until } from '../support/wait.ts'

const SHARDS = 2

const EVERYBODY: BrokerUsers = {
  check: async (_, given) => given === 'right',
  kindOf: () => 'agent',
  plainClients: false,
  mayDeclare: () => true,
}

/** A virtual host, who answers for its users (by default everybody's password is "right"), and a proxy that agents come through. */
export class TestBroker implements AsyncDisposable {
  readonly vhost: TestVhost
  readonly management: Management
  readonly proxy: TcpProxy
  readonly #parts: AsyncDisposableStack

  private constructor(vhost: TestVhost, proxy: TcpProxy, parts: AsyncDisposableStack) {
    this.vhost = vhost
    this.management = createManagement(vhost.managementUrl)
    this.proxy = proxy
    this.#parts = parts
  }

  static async create(server: string, users: BrokerUsers = EVERYBODY): Promise<TestBroker> {
    await using parts = new AsyncDisposableStack()
    const vhost = parts.use(await makeVhost(server))
    const answering = createServer(brokerAuth(users))
    await new Promise<void>((resolve) => answering.listen(0, '127.0.0.1', resolve))
    parts.defer(() => void answering.close())
    const address = answering.address()
    await vhost.answeredBy(typeof address === 'object' && address !== null ? address.port : 0)
    const proxy = parts.use(await TcpProxy.listen())
    proxy.target = Number(new URL(vhost.url).port)
    return new TestBroker(vhost, proxy, parts.move())
  }

  /** As the gateways come. */
  get url(): string {
    return this.vhost.url
  }

  /** As agents come: through the proxy, without credentials. */
  get agentUrl(): string {
    const whole = new URL(this.vhost.agentUrl)
    whole.port = String(this.proxy.port)
    return whole.href
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync()
  }
}

/** The broker's user: whom the client is going to sign in as. */
const userOf = ({ signIn }: ClientOptions): AgentKey => {
  const key = signIn?.('')['Key']
  // The tests' keys are of the right form.
  return typeof key === 'string' ? (key as AgentKey) : AGENT
}

/** Agents reach the broker through a proxy that can break what runs through it. */
export const rabbitFixture = async (server: string, clock: Clock): Promise<TransportFixture & { readonly broker: TestBroker }> => {
  const broker = await TestBroker.create(server)
  const common = { clock, random: randomBytes }
  return {
    broker,
    server: async (options = {}) => {
      const states: BrokerState[] = []
      const serving = createRabbitServer({
        ...common,
        ...options,
        broker: { url: broker.url },
        shards: SHARDS,
        disconnect: broker.management.disconnect,
        state: (state) => states.push(state),
      })
      await until('the server to serve', () => states.find(({ tag }) => tag === 'Serving'))
      return serving
    },
    client: (options = {}) =>
      createRabbitClient({
        ...common,
        ...options,
        broker: { url: broker.agentUrl },
        credentials: { agent: userOf(options), password: 'right' },
      }),
    cut: () => broker.proxy.cut(),
    [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
  }
}
