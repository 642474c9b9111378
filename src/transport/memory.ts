import * as E from 'fp-ts/lib/Either.js'
import type { Clock } from '../lib/clock.ts'
import type { ClientTransport, ServerTransport } from './port.ts'
import { SessionClient, type SessionClientOptions } from './session/client.ts'
import type { Link } from './session/link.ts'
import type { RandomBytes, SessionServerOptions } from './session/options.ts'
import { SessionServer } from './session/server.ts'
import { MemoryWire, type Fate, type Passage } from './memory-wire.ts'

export type { Fate, Passage } from './memory-wire.ts'

export interface MemoryNetworkOptions {
  readonly clock: Clock
  /** Asked for every frame, in the order of sending, what becomes of it; without it every frame arrives, in order, at once. */
  readonly fate?: (passage: Passage) => Fate
  /** Asked for every attempt to connect: false, it fails. */
  readonly reachable?: (client: string) => boolean
  /** Bytes for nonces and jitter; without it they come from a counter, the same in each run. */
  readonly random?: RandomBytes
}

export interface MemoryClientOptions extends Pick<SessionClientOptions, 'signIn' | 'requestTimeoutMs' | 'maxPauseMs' | 'onState'> {
  /** Names the client to the hooks, and is its address. */
  readonly name: string
  /** The device's own, where it differs from the network's. */
  readonly clock?: Clock
}

export interface MemoryServerOptions extends Pick<SessionServerOptions, 'limits' | 'log'> {
  readonly clock?: Clock
}

/**
 * Gateways and agents in one process, with the sessions of the WebSocket transport over wires in memory. Nothing happens but by promises and the
 * clock passed in: with a simulated clock every run is the same.
 */
export class MemoryNetwork {
  readonly #options: MemoryNetworkOptions
  readonly #random: RandomBytes
  readonly #wires = new Map<MemoryWire, string>()
  #server: SessionServer | undefined

  constructor(options: MemoryNetworkOptions) {
    this.#options = options
    this.#random = options.random ?? counting()
  }

  /** The gateway that clients reach from now on; an earlier one reaches nobody new. */
  server(options: MemoryServerOptions = {}): ServerTransport {
    const server = new SessionServer({ clock: this.#options.clock, ...options, random: this.#random })
    this.#server = server
    return server
  }

  client({ name, ...options }: MemoryClientOptions): ClientTransport {
    return new SessionClient(() => this.#connect(name), { clock: this.#options.clock, ...options, random: this.#random })
  }

  /** Cuts the connections of one client, or of all; what was on its way is lost. */
  cut(client?: string): void {
    this.#each(client, (wire) => wire.cut(CUT))
  }

  /** A client's process dies: it hears nothing more, and whether it tries again is up to its clock. */
  kill(client: string): void {
    this.#each(client, (wire) => wire.cut(CUT, 'client'))
  }

  /** The gateway's process dies: nothing of it arrives any more, and nobody reaches one until there is another. */
  crash(): void {
    this.#server = undefined
    this.#each(undefined, (wire) => wire.cut(CUT, 'server'))
  }

  #each(client: string | undefined, act: (wire: MemoryWire) => void): void {
    for (const [wire, name] of [...this.#wires]) if (client === undefined || client === name) act(wire)
  }

  async #connect(name: string): Promise<E.Either<string, Link>> {
    await Promise.resolve()
    const server = this.#server
    if (server === undefined || server.stopping || this.#options.reachable?.(name) === false) return E.left('Nobody answers.')
    const wire: MemoryWire = new MemoryWire(name, this.#options.clock, this.#options.fate ?? arrives, () => this.#wires.delete(wire))
    this.#wires.set(wire, name)
    server.accept(wire.server, name)
    return E.right(wire.client)
  }
}

const CUT = 'The connection was cut.'

const arrives = (): Fate => ({ tag: 'Arrives', after: [0] })

const counting = (): RandomBytes => {
  let count = 0
  return (size) => Uint8Array.from({ length: size }, () => (count = (count + 1) % 251))
}
