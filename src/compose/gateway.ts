import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import * as E from 'fp-ts/lib/Either.js'
import type { GatewayConfig } from '../config.ts'
import { createBrokerUsers } from '../gateway/broker-users.ts'
import type { GatewayDeps } from '../gateway/deps.ts'
import { createGateway, type Gateway } from '../gateway/gateway.ts'
import { createHttpHandler } from '../gateway/http.ts'
import { systemClock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Stopped } from '../projections/port.ts'
import type { ServerEvent } from '../transport/session/options.ts'
import { createWebSocketServer } from '../transport/websocket/server.ts'
import { openDataDirectory } from './data-directory.ts'
import { serveControl } from './control.ts'
import { fail, type Outcome } from './failure.ts'
import { inStep, openGatewayParts, type GatewayParts } from './gateway-parts.ts'
import { createRetentionHandler } from './retention.ts'
import type { RunningRabbit } from './gateway-rabbitmq.ts'

/** A gateway that serves; disposing of it drains and lets go of everything. */
export interface RunningGateway extends AsyncDisposable {
  readonly log: Log
  /** Resolves if it stops by itself. */
  readonly failed: Promise<Outcome<never>>
}

export const startGateway = async (config: GatewayConfig): Promise<Outcome<RunningGateway>> => {
  const tls = readTls(config.tls)
  if (E.isLeft(tls)) return tls
  // The log holds password verifiers: nothing that the gateway writes is for other users of the machine.
  process.umask(0o077)
  const data = openDataDirectory(config.data)
  if (E.isLeft(data)) return data
  await using parts = new AsyncDisposableStack()
  const opened = await openGatewayParts(config, parts.use(data.right), parts)
  if (E.isLeft(opened)) return opened
  const started = await serve(opened.right, tls.right, parts)
  if (E.isLeft(started)) return started
  const all = parts.move()
  return E.right({ ...started.right, [Symbol.asyncDispose]: () => all.disposeAsync() })
}

type Tls = { readonly cert: string; readonly key: string } | undefined

const readTls = (files: GatewayConfig['tls']): Outcome<Tls> => {
  if (files === undefined) return E.right(undefined)
  return E.tryCatch(
    () => ({ cert: readFileSync(files.certFile, 'utf8'), key: readFileSync(files.keyFile, 'utf8') }),
    (error) => ({ kind: 'usage', reason: `the certificate or its key cannot be read: ${error instanceof Error ? error.message : ''}` }),
  )
}

const serve = async (
  { config, deps, opened, following, files, data }: GatewayParts,
  tls: Tls,
  parts: AsyncDisposableStack,
): Promise<Outcome<Omit<RunningGateway, keyof AsyncDisposable>>> => {
  const { logger, metrics } = deps
  const { shared, isHeard } = opened
  const gateway = createGateway(deps)
  let ready = false
  let overBroker = (): boolean => true
  const server = await listen(
    config,
    tls,
    createHttpHandler({ ready: () => ready && gateway.ready() && isHeard() && overBroker(), metrics }),
    logger,
  )
  if (E.isLeft(server)) return server
  parts.use(server.right)
  parts.defer(() => gateway.drain())
  gateway.addNotifier(server.right)
  const caughtUp = await inStep({ opened, following }, gateway, parts)
  if (E.isLeft(caughtUp)) return caughtUp
  server.right.serve(gateway.handle)
  const rabbit = await serveRabbit(config, gateway, deps, parts)
  if (E.isLeft(rabbit)) return rabbit
  overBroker = rabbit.right.ready
  const stopping = new AbortController()
  parts.defer(() => stopping.abort())
  const controlled = await serveControl(data, createRetentionHandler({ gateway, deps, files, data }, stopping.signal), parts)
  if (E.isLeft(controlled)) return controlled
  void gateway.runHourly(stopping.signal)
  void gateway.runMinutely(stopping.signal)
  const stopped = shared ? gateway.follow(stopping.signal) : undefined
  ready = true
  const { host, port } = server.right.address
  logger.info('listening', { address: `${host}:${port}`, data, registration: config.openRegistration ? 'open' : 'closed' })
  return E.right({ log: logger, failed: Promise.race([endOf(following.ended, stopped), rabbit.right.failed]) })
}

const NO_RABBIT: RunningRabbit = { ready: () => true, failed: new Promise(() => undefined) }

/** Beside WebSocket, where there is a broker. */
const serveRabbit = async (
  { queue }: GatewayConfig,
  gateway: Gateway,
  deps: GatewayDeps & { readonly logger: Log },
  parts: AsyncDisposableStack,
): Promise<Outcome<RunningRabbit>> => {
  if (queue.tag === 'none') return E.right(NO_RABBIT)
  // A gateway without RabbitMQ loads nothing of it.
  const { startRabbit } = await import('./gateway-rabbitmq.ts')
  return startRabbit(
    queue,
    gateway,
    createBrokerUsers(deps, gateway.refusedSignIns),
    { logger: deps.logger, event: (event) => logConnection(deps.logger, event) },
    parts,
  )
}

/** Resolves where the log can't be followed any more. */
const endOf = async (thread: Promise<string>, follow: Promise<Stopped | undefined> | undefined): Promise<Outcome<never>> => {
  const never = new Promise<never>(() => undefined)
  const reason = await Promise.race([thread, follow?.then((stopped) => stopped?.reason ?? never) ?? never])
  return fail('failed', `the log is not followed any more: ${reason}`)
}

const listen = async ({ listen: at }: GatewayConfig, tls: Tls, httpHandler: RequestListener, logger: Log) => {
  try {
    return E.right(
      await createWebSocketServer({
        clock: systemClock,
        random: randomBytes,
        listen: at,
        ...(tls === undefined ? {} : { tls }),
        httpHandler,
        log: (event) => logConnection(logger, event),
      }),
    )
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return fail('failed', `${at.host}:${at.port} cannot be listened on: ${error.message}`)
  }
}

/** What a connection does is for those who look for it; what a peer does wrong, and our own faults, are for the operator. */
const logConnection = (logger: Log, event: ServerEvent): void => {
  const { tag } = event
  const peer = 'peer' in event ? { connection: event.peer.id, address: event.peer.address, agent: event.peer.agent } : {}
  switch (tag) {
    case 'Opened':
      return logger.debug('connection opened', peer)
    case 'Closed':
      return logger.debug('connection closed', { ...peer, reason: event.reason })
    case 'Rejected':
      return logger.warn('connection refused', { address: event.address, reason: event.reason })
    case 'Broken':
      return logger.warn('a peer sent what is not of the expected form', { ...peer, reason: event.reason })
    case 'Fault':
      return logger.error('a request failed', { ...peer, error: event.error instanceof Error ? event.error.stack : String(event.error) })
  }
}
