/** A RabbitMQ, its management API, and how the gateways use it. */
export interface RabbitAddress {
  readonly tag: 'rabbitmq'
  /** `amqp(s)://USER:PASSWORD@HOST:PORT/VHOST`: a secret. */
  readonly url: string
}

/** What an address that holds secrets must look like; said instead of the address itself. */
export const AMQP_FORM = 'amqp://USER:PASSWORD@HOST:PORT/VHOST or amqps://… (%-encode signs such as / in the password)'
export const MANAGEMENT_FORM = 'http://USER:PASSWORD@HOST:PORT or https://…, of an administrator of the broker'

const withCredentials = (text: string, schemes: readonly string[]): URL | undefined => {
  const url = URL.parse(text)
  const complete = url !== null && schemes.includes(url.protocol) && url.hostname !== '' && url.username !== '' && url.password !== ''
  return complete && url.hash === '' ? url : undefined
}

export const amqpAddress = (text: string): RabbitAddress | undefined =>
  withCredentials(text, ['amqp:', 'amqps:']) === undefined ? undefined : { tag: 'rabbitmq', url: text }

export const managementAddress = (text: string): string | undefined => withCredentials(text, ['http:', 'https:'])?.href

/** Where a broker's management is, unless somebody says otherwise. */
export const usualManagement = (broker: string): string => {
  const { username, password, hostname } = new URL(broker)
  return `http://${username}:${password}@${hostname}:15672/`
}
