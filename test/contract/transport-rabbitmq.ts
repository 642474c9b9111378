import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AgentKey } from '../../src/domain/events.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { brokerAuth } from '../../src/transport/rabbitmq/broker-auth.ts'
import { createRabbitClient } from '../../src/transport/rabbitmq/client.ts'
import { createManagement, type Management } from '../../src/transport/rabbitmq/management.ts'
import { createRabbitServer, type BrokerState } from '../../src/transport/rabbitmq/server.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import type { ClientOptions, TransportFixture } from './transport.adapters.ts'
import { AGENT } from './transport.support.ts'
import { until } from '../support/wait.ts'

const SHARDS = 2

/** A virtual host of its own at the tests' broker, and who answers for its users: everybody's password is "right". */
export class TestBroker implements AsyncDisposable {
  readonly management: Management
  /** As the gateways come. */
  readonly url: string
  readonly proxy: TcpProxy
  readonly #parts: AsyncDisposableStack

  private constructor(management: Management, url: string, proxy: TcpProxy, parts: AsyncDisposableStack) {
    this.management = management
    this.url = url
    this.proxy = proxy
    this.#parts = parts
  }

  static async create(server: string): Promise<TestBroker> {
    const whole = new URL(server)
    const [ports, vhost] = [whole.searchParams, `test-${randomBytes(6).toString('hex')}`]
    const { username, password } = whole
    await using parts = new AsyncDisposableStack()
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
    const api = (method: string, path: string, body?: object) =>
      fetch(`http://127.0.0.1:${ports.get('management')}/api/${path}`, {
        method,
        headers: { authorization, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
      })
    await api('PUT', `vhosts/${vhost}`)
    await api('PUT', `permissions/${vhost}/${username}`, { configure: '.*', write: '.*', read: '.*' })
    parts.defer(async () => void (await api('DELETE', `vhosts/${vhost}`)))
    const users = createServer(brokerAuth({ check: async (_, given) => given === 'right', kindOf: () => 'agent' }))
    await new Promise<void>((resolve) => users.listen(0, '127.0.0.1', resolve))
    parts.defer(() => void users.close())
    const address = users.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await fetch(`http://127.0.0.1:${ports.get('switchboard')}/answers-for/${vhost}`, { method: 'POST', body: `http://127.0.0.1:${port}` })
    const proxy = parts.use(await TcpProxy.listen())
    proxy.target = Number(whole.port)
    const management = createManagement(`http://${username}:${password}@127.0.0.1:${ports.get('management')}/`)
    return new TestBroker(management, `amqp://${username}:${password}@127.0.0.1:${whole.port}/${vhost}`, proxy, parts.move())
  }

  /** As agents come: through the proxy, without credentials. */
  get agentUrl(): string {
    const whole = new URL(this.url)
    whole.username = ''
    whole.password = ''
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
export const rabbitFixture = async (server: string, clock: Clock): Promise<TransportFixture> => {
  const broker = await TestBroker.create(server)
  const common = { clock, random: randomBytes }
  return {
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
