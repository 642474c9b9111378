import { randomUUID } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import { parseEventStoreAddress, type EventStoreAddress } from '../../../src/lib/eventstore-address.ts'
import { TcpProxy } from '../tcp-proxy.ts'
import { StandIn } from './server.ts'

/** A real server, where one is named; nothing in it is touched but streams of a prefix of the test's own. */
export const REAL_SERVER = process.env['EVENTSYNC_TEST_ESDB_URL']

/** A log's server as its clients see it: behind a proxy, so that it can be taken away from them, and given back. */
export interface LogServer extends AsyncDisposable {
  readonly url: string
  /** Its connections, and what is behind them. */
  readonly proxy: TcpProxy
  /** Undefined where the server is a real one. */
  readonly standIn: StandIn | undefined
  back(): void
  away(): void
}

export const addressOf = (url: string): EventStoreAddress => {
  const address = parseEventStoreAddress(url)
  if (E.isLeft(address)) throw new Error(`the address of the log's server ${address.left}`)
  return address.right
}

const portOf = ({ servers }: EventStoreAddress): number => {
  const endpoint = servers.tag === 'several' ? servers.endpoints[0] : servers.endpoint
  if (endpoint?.address !== '127.0.0.1') throw new Error('EVENTSYNC_TEST_ESDB_URL must name a server at 127.0.0.1')
  return endpoint.port
}

/** A real server where one is named, otherwise the stand-in; empty either way. */
export const logServer = async (): Promise<LogServer> => {
  const standIn = REAL_SERVER === undefined ? await StandIn.start() : undefined
  const behind = standIn?.port ?? portOf(addressOf(REAL_SERVER ?? ''))
  const proxy = await TcpProxy.listen()
  proxy.target = behind
  const direct = REAL_SERVER ?? `esdb://127.0.0.1:${behind}?tls=false`
  const url = direct.replace(`127.0.0.1:${behind}`, `127.0.0.1:${proxy.port}`)
  return {
    url: `${url}${url.includes('?') ? '&' : '?'}streamPrefix=test-${randomUUID()}-`,
    proxy,
    standIn,
    back: () => {
      proxy.target = behind
    },
    away: () => {
      proxy.target = undefined
      proxy.cut()
    },
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]()
      await standIn?.stop()
    },
  }
}
