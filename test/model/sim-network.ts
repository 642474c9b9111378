import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import type { AgentKey } from '../../src/domain/events.ts'
import type { JsonObject } from '../../src/protocol/json.ts'
import {
  NO_BYTES,
  type ClientTransport,
  type Envelope,
  type FolderAt,
  type Handler,
  type Notification,
  type Peer,
  type ServerTransport,
  type TransportError,
} from '../../src/transport/port.ts'
import type { Random } from './random.ts'
import type { NetworkTraits } from './schedule.ts'
import type { Scheduler } from './scheduler.ts'

type Result = E.Either<TransportError, Envelope>

const REQUEST_TIMEOUT_MS = 10_000
const RECONNECT_MS = 700

const lost = (reason: string): Result => E.left({ tag: 'Unreachable', reason })

/** Nothing is shared between the two sides of a wire. */
const overTheWire = ({ message, payload }: Envelope): Envelope => {
  // What JSON.parse makes of an object's JSON is such an object.
  const copy = JSON.parse(JSON.stringify(message)) as JsonObject
  return { message: copy, payload: payload.length === 0 ? NO_BYTES : Uint8Array.from(payload) }
}

/** Told of each answer that reached the agent which had asked: what was acknowledged. */
export type OnAnswer = (client: string, request: Envelope, answer: Envelope) => void

/** The wires between all devices and the gateway: messages are late, lost, doubled and overtake each other, and connections break. */
export class SimNetwork {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly traits: NetworkTraits
  readonly onAnswer: OnAnswer
  readonly clients = new Set<SimClient>()
  /** From now on every message arrives, once. */
  healed = false
  /** Undefined while the gateway is down. */
  server: SimServer | undefined

  constructor(scheduler: Scheduler, random: Random, traits: NetworkTraits, onAnswer: OnAnswer) {
    this.scheduler = scheduler
    this.random = random
    this.traits = traits
    this.onAnswer = onAnswer
  }

  latency(): number {
    return this.traits.latencyMs * (0.5 + this.random.next())
  }

  loses(): boolean {
    return !this.healed && this.random.chance(this.traits.loss)
  }

  doubles(): boolean {
    return !this.healed && this.random.chance(this.traits.duplication)
  }

  heal(): void {
    this.healed = true
    for (const client of this.clients) client.partitionUntil = 0
  }

  /** A gateway's side; it replaces the one before (whose process is gone). */
  open(): SimServer {
    const server = new SimServer(this)
    this.server = server
    return server
  }

  /** The gateway's process is gone. */
  close(server: SimServer): void {
    server.closed = true
    if (this.server === server) this.server = undefined
    for (const client of this.clients) client.cut('The gateway is gone.')
  }
}

/** The gateway's side of all wires. */
export class SimServer implements ServerTransport {
  readonly #network: SimNetwork
  readonly stop = new AbortController()
  handler: Handler | undefined
  closed = false

  constructor(network: SimNetwork) {
    this.#network = network
  }

  serve(handler: Handler): void {
    this.handler = handler
    for (const client of this.#network.clients) client.reconnect()
  }

  notify(agents: readonly AgentKey[], { page, ...told }: FolderAt): void {
    for (const client of this.#network.clients) {
      if (client.peer?.agent === undefined || !agents.includes(client.peer.agent) || this.#network.loses()) continue
      const copies = this.#network.doubles() ? 2 : 1
      for (let copy = 0; copy < copies; copy++)
        client.notifyLater({ tag: 'FolderAt', ...told, ...(page === undefined ? {} : { page: overTheWire(page) }) })
    }
  }

  disconnect(agent: AgentKey, reason: string): void {
    for (const client of this.#network.clients) if (client.peer?.agent === agent) client.cut(reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort()
  }
}

interface Outstanding {
  readonly settle: (result: Result) => void
  readonly onAbort: () => void
  readonly signal: AbortSignal | undefined
  cancelTimeout: () => void
}

/** One agent process's wire. Once its process is gone it never says anything to it again. */
export class SimClient implements ClientTransport {
  readonly #network: SimNetwork
  readonly #name: string
  readonly #signIn: ((nonce: string) => JsonObject) | undefined
  readonly #listeners = new Set<(notification: Notification) => void>()
  readonly #outstanding = new Set<Outstanding>()
  #disposed = false
  #reconnecting = false
  #connection = 0
  peer: Peer | undefined
  partitionUntil = 0

  constructor(network: SimNetwork, name: string, signIn?: (nonce: string) => JsonObject) {
    this.#network = network
    this.#name = name
    this.#signIn = signIn
    network.clients.add(this)
    this.reconnect()
  }

  request(envelope: Envelope, signal?: AbortSignal): TE.TaskEither<TransportError, Envelope> {
    return () =>
      new Promise((resolve) => {
        if (this.#disposed || this.peer === undefined || signal?.aborted === true) return resolve(lost('Not connected.'))
        this.#send(overTheWire(envelope), resolve, signal)
      })
  }

  notifications(listener: (notification: Notification) => void): () => void {
    this.#listeners.add(listener)
    listener(this.peer === undefined ? { tag: 'Disconnected', reason: 'Not connected yet.', refused: false } : { tag: 'Connected' })
    return () => this.#listeners.delete(listener)
  }

  /** Nothing comes through until then. */
  partition(ms: number): void {
    this.partitionUntil = this.#network.scheduler.now + ms
    this.cut('The network is down.')
  }

  /** The connection breaks: what was asked may or may not have been handled. */
  cut(reason: string): void {
    if (this.peer === undefined) return
    this.peer = undefined
    this.#connection++
    for (const each of this.#outstanding) this.#settle(each, lost(reason))
    this.#say({ tag: 'Disconnected', reason, refused: false })
    this.reconnect()
  }

  /** The process is gone: whatever it waits for never comes. */
  abandon(): void {
    this.#disposed = true
    this.peer = undefined
    this.#network.clients.delete(this)
    for (const { cancelTimeout } of this.#outstanding) cancelTimeout()
    this.#outstanding.clear()
    this.#listeners.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.#outstanding) this.#settle(each, lost('This client was closed.'))
    this.abandon()
  }

  reconnect(): void {
    if (this.#disposed || this.#reconnecting || this.peer !== undefined) return
    this.#reconnecting = true
    this.#network.scheduler.after(this.#network.healed ? 20 : RECONNECT_MS * this.#network.random.next(), () => {
      this.#reconnecting = false
      void this.#connect()
    })
  }

  notifyLater(notification: Notification): void {
    const connection = this.#connection
    this.#network.scheduler.after(this.#network.latency(), () => {
      if (connection === this.#connection) this.#say(notification)
    })
  }

  async #connect(): Promise<void> {
    const server = this.#network.server
    const down = this.#disposed || this.#network.scheduler.now < this.partitionUntil || this.#network.loses()
    if (down || server?.handler === undefined || this.peer !== undefined) return this.reconnect()
    const id = `${this.#name}-${++this.#connection}`
    const peer: Peer = { id, address: '127.0.0.1', nonce: Buffer.from(id).toString('base64'), agent: undefined, plain: false }
    if (this.#signIn !== undefined) await server.handler({ message: this.#signIn(peer.nonce), payload: NO_BYTES }, peer, server.stop.signal)
    if (this.#disposed || server.closed || (this.#signIn !== undefined && peer.agent === undefined)) return this.reconnect()
    this.peer = peer
    this.#say({ tag: 'Connected' })
  }

  #send(request: Envelope, resolve: (result: Result) => void, signal: AbortSignal | undefined): void {
    const network = this.#network
    const entry: Outstanding = {
      settle: resolve,
      signal,
      onAbort: () => this.#settle(entry, lost('It was given up.')),
      cancelTimeout: () => {},
    }
    this.#outstanding.add(entry)
    signal?.addEventListener('abort', entry.onAbort, { once: true })
    entry.cancelTimeout = network.scheduler.after(REQUEST_TIMEOUT_MS, () => this.#settle(entry, lost('No answer came in time.')))
    if (!network.loses()) this.#deliver(request, entry)
    if (network.doubles()) this.#deliver(request, undefined)
  }

  /** Hands a request to the gateway after a while; without `entry` nobody waits for the answer (a duplicate). */
  #deliver(request: Envelope, entry: Outstanding | undefined): void {
    const network = this.#network
    const peer = this.peer
    const connection = this.#connection
    network.scheduler.after(network.latency(), () => {
      const server = network.server
      if (peer === undefined || server?.handler === undefined || (entry !== undefined && connection !== this.#connection)) return
      void this.#handle(server, server.handler, peer, request, entry)
    })
  }

  async #handle(server: SimServer, handler: Handler, peer: Peer, request: Envelope, entry: Outstanding | undefined): Promise<void> {
    const network = this.#network
    const connection = this.#connection
    const answer = await handler(request, peer, server.stop.signal)
    if (entry === undefined || server.closed || network.loses()) return
    const arriving = overTheWire(answer)
    network.scheduler.after(network.latency(), () => this.#arrive(connection, entry, request, arriving))
  }

  #arrive(connection: number, entry: Outstanding, request: Envelope, answer: Envelope): void {
    if (connection !== this.#connection || !this.#outstanding.has(entry)) return
    this.#network.onAnswer(this.#name, request, answer)
    this.#settle(entry, E.right(answer))
  }

  #settle(entry: Outstanding, result: Result): void {
    if (!this.#outstanding.delete(entry)) return
    entry.cancelTimeout()
    entry.signal?.removeEventListener('abort', entry.onAbort)
    entry.settle(result)
  }

  #say(notification: Notification): void {
    for (const listener of [...this.#listeners]) listener(notification)
  }
}
