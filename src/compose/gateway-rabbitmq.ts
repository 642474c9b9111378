import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import * as E from 'fp-ts/lib/Either.js'
import type { GatewayConfig } from '../config.ts'
import type { AgentsAsUsers } from '../gateway/broker-users.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { systemClock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { brokerAuth } from '../transport/rabbitmq/broker-auth.ts'
import { createManagement } from '../transport/rabbitmq/management.ts'
import { createRabbitServer, type BrokerState } from '../transport/rabbitmq/server.ts'
import type { ServerEvent } from '../transport/session/options.ts'
import { fail, type Outcome } from './failure.ts'

type RabbitConfig = Extract<GatewayConfig['queue'], { tag: 'rabbitmq' }>

export interface RunningRabbit {
  /** Whether it takes requests from the broker now. */
  readonly ready: () => boolean
  /** Resolves where it can never serve: somebody has to change something. */
  readonly failed: Promise<Outcome<never>>
}

/** Serves agents over RabbitMQ, and answers the broker's questions about them. It looks for the broker for as long as it takes. */
export const startRabbit = async (
  config: RabbitConfig,
  gateway: Gateway,
  users: AgentsAsUsers,
  tell: { readonly logger: Log; readonly event: (event: ServerEvent) => void },
  parts: AsyncDisposableStack,
): Promise<Outcome<RunningRabbit>> => {
  const listening = await listen(config, users, parts)
  if (E.isLeft(listening)) return listening
  const { logger } = tell
  const management = createManagement(config.managementUrl)
  const vhost = decodeURIComponent(new URL(config.url).pathname.slice(1)) || '/'
  const failed = Promise.withResolvers<Outcome<never>>()
  const state = (now: BrokerState): void => {
    if (now.tag === 'Refused') return failed.resolve(fail('failed', now.reason))
    if (now.tag === 'Away') return logger.warn('RabbitMQ is out of reach: it is tried again', { reason: now.reason })
    logger.info('serving over RabbitMQ', { shards: config.shards })
    management
      .bound(vhost)
      .catch((error: unknown) =>
        logger.warn("the broker's policies for the agents' queues and the dead letters were not set", { reason: reasonOf(error) }),
      )
  }
  const server = parts.use(
    createRabbitServer({
      clock: systemClock,
      random: randomBytes,
      broker: { url: config.url },
      shards: config.shards,
      disconnect: management.disconnect,
      uploads: gateway.uploadedElsewhere,
      log: tell.event,
      state,
      shares: ({ gateways, mine }) => logger.info('sharing the request queues', { gateways, queues: mine }),
    }),
  )
  gateway.addNotifier(server)
  server.serve(gateway.handle)
  return E.right({ ready: () => server.serving, failed: failed.promise })
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const listen = async ({ authListen }: RabbitConfig, users: AgentsAsUsers, parts: AsyncDisposableStack): Promise<Outcome> => {
  const { host, port } = authListen
  const server = createServer(brokerAuth(users))
  parts.defer(() => server.closeAllConnections())
  parts.defer(() => void server.close())
  return new Promise((resolve) => {
    server.once('error', (error) =>
      resolve(fail('failed', `${host}:${port} (EVENTSYNC_AMQP_AUTH_LISTEN) cannot be listened on: ${error.message}`)),
    )
    server.listen(port, host, () => resolve(E.right(undefined)))
  })
}
