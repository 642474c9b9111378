import { getCACertificates } from 'node:tls'
import * as E from 'fp-ts/lib/Either.js'
import { certificateTrouble } from '../../lib/certificate-trouble.ts'
import type { Clock } from '../../lib/clock.ts'
import type { ClientTransport } from '../port.ts'
import { SessionClient, type Connect, type SessionClientOptions } from '../session/client.ts'
import type { Link } from '../session/link.ts'
import { isLoopback } from '../../lib/loopback.ts'
import { WebSocketLink } from './pipe.ts'
import { Socket, SOCKET_OPTIONS, SUBPROTOCOL } from './socket.ts'

export interface WebSocketClientOptions extends SessionClientOptions {
  /** `ws://` or `wss://`. */
  readonly url: string
  /** A certificate (PEM) to trust in place of those that the system and Node trust. */
  readonly tls?: { readonly ca: string }
}

/** On this machine a gateway that was killed is back at once, and nobody else is disturbed by asking often. */
const LOOPBACK_MAX_PAUSE_MS = 1000

/** An agent's connection to a gateway over one WebSocket. Throws a TypeError where the URL is not of that form. */
export const createWebSocketClient = (options: WebSocketClientOptions): ClientTransport => {
  const url = new URL(options.url)
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:')
    throw new TypeError(`The URL is not one of ws:// or wss://, but of ${url.protocol}//.`)
  url.hash = ''
  const loopback = isLoopback(url.hostname)
  const trusted =
    url.protocol === 'wss:' ? (options.tls?.ca ?? [...getCACertificates('default'), ...getCACertificates('system')]) : undefined
  const connect: Connect = (signal) => connectOnce(url, trusted, loopback, options.clock, signal)
  return new SessionClient(connect, loopback ? { maxPauseMs: LOOPBACK_MAX_PAUSE_MS, ...options } : options)
}

const connectOnce = (
  url: URL,
  ca: string | string[] | undefined,
  loopback: boolean,
  clock: Clock,
  signal: AbortSignal,
): Promise<E.Either<string, Link>> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve(E.left('It was given up.'))
    // Masks protect proxies from what looks like HTTP inside a connection; on loopback and inside TLS there is none that could look.
    const unmasked = loopback || url.protocol === 'wss:'
    const socket = new Socket(url, SUBPROTOCOL, {
      ...SOCKET_OPTIONS,
      ...(unmasked && { generateMask: noMask }),
      ...(ca !== undefined && { ca }),
    })
    const giveUp = (): void => socket.terminate()
    const failed = (error: Error): void => {
      signal.removeEventListener('abort', giveUp)
      resolve(E.left(signal.aborted ? 'Connecting took too long, or was given up.' : `${url.host}: ${reasonOf(error)}`))
    }
    signal.addEventListener('abort', giveUp)
    socket.on('error', failed)
    socket.on('upgrade', ({ socket: wire }) => {
      socket.on('open', () => {
        signal.removeEventListener('abort', giveUp)
        socket.off('error', failed)
        resolve(E.right(new WebSocketLink({ socket, wire, clock })))
      })
    })
  })

const noMask = (mask: Buffer): void => {
  mask.fill(0)
}

/** Node gives an AggregateError without words where a name has several addresses and none answers. */
const reasonOf = (error: Error): string => {
  const trouble = certificateTrouble(error.message, 'NODE_EXTRA_CA_CERTS')
  if (trouble !== undefined) return `it cannot be trusted: ${trouble} (${error.message})`
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0].message
  return error.message
}
