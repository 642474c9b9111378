import { randomBytes } from 'node:crypto'
import type { Environment } from '../processes.ts'
import { freePorts } from './ports.ts'

/** A virtual host of its own at the tests' broker. */
export interface TestVhost extends AsyncDisposable {
  readonly name: string
  /** As gateways come: with an administrator's credentials, and without. */
  readonly url: string
  readonly agentUrl: string
  readonly managementUrl: string
  /** The same with TLS, and the file of the certificate to trust. */
  readonly secure: { readonly url: string; readonly agentUrl: string; readonly certificate: string }
  api(method: string, path: string, body?: object): Promise<Response>
  /** Who answers the broker's questions about this virtual host's users; of several, whoever knows. */
  answeredBy(...ports: readonly number[]): Promise<void>
}

/** `server`: what serverFor('rabbitmq') says. */
export const makeVhost = async (server: string): Promise<TestVhost> => {
  const { username, password, port, searchParams } = new URL(server)
  const name = `test-${randomBytes(6).toString('hex')}`
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const management = `127.0.0.1:${searchParams.get('management')}`
  const api: TestVhost['api'] = (method, path, body) =>
    fetch(`http://${management}/api/${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    })
  const answeredBy = async (...ports: readonly number[]): Promise<void> => {
    const body = ports.map((port) => `http://127.0.0.1:${port}`).join(' ')
    await fetch(`http://127.0.0.1:${searchParams.get('switchboard')}/answers-for/${name}`, { method: 'POST', body })
  }
  await api('PUT', `vhosts/${name}`)
  await api('PUT', `permissions/${name}/${username}`, { configure: '.*', write: '.*', read: '.*' })
  return {
    name,
    url: `amqp://${username}:${password}@127.0.0.1:${port}/${name}`,
    agentUrl: `amqp://127.0.0.1:${port}/${name}`,
    secure: {
      url: `amqps://${username}:${password}@localhost:${searchParams.get('tls')}/${name}`,
      agentUrl: `amqps://localhost:${searchParams.get('tls')}/${name}`,
      certificate: searchParams.get('certificate') ?? '',
    },
    managementUrl: `http://${username}:${password}@${management}/`,
    api,
    answeredBy,
    [Symbol.asyncDispose]: async () => {
      await answeredBy()
      await api('DELETE', `vhosts/${name}`)
    },
  }
}

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
