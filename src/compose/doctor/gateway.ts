import * as E from 'fp-ts/lib/Either.js'
import type { GatewayConfig } from '../../config.ts'
import { ask } from './ask.ts'
import { checker, type Check } from './check.ts'

const as = checker('gateway')

/** Addresses that listen everywhere are asked on this machine. */
const hostOf = (host: string): string => {
  if (host === '0.0.0.0') return '127.0.0.1'
  return host.includes(':') ? `[${host === '::' ? '::1' : host}]` : host
}

/** Whether a gateway with this configuration runs here, and takes requests. */
export const checkGateway = async ({ listen: { host, port }, tls, queue }: GatewayConfig): Promise<readonly Check[]> => {
  const answer = await ask(`${tls === undefined ? 'http' : 'https'}://${hostOf(host)}:${port}/readyz`, { anyCertificate: true })
  if (E.isLeft(answer))
    return [as.warning('ready', `none runs at ${host}:${port} (${answer.left})`, 'start it: eventsync serve, with the same settings')]
  const ready =
    answer.right.status === 200
      ? as.ok('ready', `it takes requests at ${host}:${port}`)
      : as.failed(
          'failed',
          'ready',
          'it runs, and is not ready',
          'see the failures above, and its log: it starts, stops, or does not hear from the log or the broker',
        )
  return queue.tag === 'rabbitmq' ? [ready, await questions(queue.authListen)] : [ready]
}

/** The broker asks there who a device is; anything but a POST is answered 405. */
const questions = async ({ host, port }: { readonly host: string; readonly port: number }): Promise<Check> => {
  const answer = await ask(`http://${hostOf(host)}:${port}/auth/user`)
  return E.isRight(answer) && answer.right.status === 405
    ? as.ok('broker questions', `answered at ${host}:${port}`)
    : as.failed(
        'unreachable',
        'broker questions',
        `nobody answers at ${host}:${port}: the broker lets no device in`,
        'check EVENTSYNC_AMQP_AUTH_LISTEN, and the auth_http paths of the broker',
      )
}
