import type { AgentKey } from '../../domain/events.ts'
import { notificationFrame } from '../notification.ts'
import type { FolderAt, Handler, ServerTransport } from '../port.ts'
import { Connection, type Surroundings } from './connection.ts'
import { FramedPeer } from './framed.ts'
import type { Link, Pipe } from './link.ts'
import { SERVER_LIMITS, type SessionServerOptions } from './options.ts'
import { ConnectedPeer } from './peer.ts'

/** How long a peer may take to close its side, once it was asked to. */
const CLOSE_MS = 1000

/** The gateway's side over any kind of link: an adapter accepts connections and hands them over. */
export class SessionServer implements ServerTransport {
  readonly #options: SessionServerOptions
  readonly #around: Surroundings
  readonly #connections = new Map<Connection, () => void>()
  readonly #framed = new Map<AgentKey, Set<FramedPeer>>()
  #handler: Handler | undefined
  #made = 0
  #stopping = false

  constructor(options: SessionServerOptions) {
    this.#options = options
    const log = options.log ?? ((): void => undefined)
    this.#around = { clock: options.clock, limits: { ...SERVER_LIMITS, ...options.limits }, handler: () => this.#handler, log }
  }

  /** Connections that are open. */
  get open(): number {
    return this.#connections.size
  }

  /** Those that have not shown who they are, and are not being closed; the oldest first. */
  get strangers(): readonly Connection[] {
    return [...this.#connections.keys()].filter((connection) => connection.isStranger && !connection.signal.aborted)
  }

  /** It takes no new connections. */
  get stopping(): boolean {
    return this.#stopping
  }

  serve(handler: Handler): void {
    this.#handler = handler
  }

  notify(agents: readonly AgentKey[], told: FolderAt): void {
    const frame = notificationFrame(told)
    for (const agent of agents) for (const peer of this.#framed.get(agent) ?? []) peer.notify(told, frame)
  }

  disconnect(agent: AgentKey, reason: string): void {
    for (const { connection } of [...(this.#framed.get(agent) ?? [])]) connection.close('policy', reason)
  }

  /** A connection that speaks EventSync's framing. */
  accept(link: Link, address: string): void {
    const connection = this.#open(link, address, false, (before, now) => {
      if (before !== undefined) this.#forget(before, framed)
      if (now !== undefined && !connection.signal.aborted) this.#remember(now, framed)
    })
    const framed = new FramedPeer(link, connection, this.#options.clock)
    link.listen({
      received: (frame) => framed.received(frame),
      closed: (reason) => this.closed(connection, reason),
    })
    connection.signal.addEventListener('abort', () => connection.peer.agent !== undefined && this.#forget(connection.peer.agent, framed))
    framed.challenge()
  }

  /** A connection that speaks PySync's JSON; the adapter calls `closed` when it has ended. */
  acceptPlain(pipe: Pipe, address: string): Connection {
    return this.#open(pipe, address, true, () => undefined)
  }

  /** To be called once for a connection whose wire has ended. */
  closed(connection: Connection, reason: string): void {
    connection.ended()
    this.#connections.get(connection)?.()
    this.#connections.delete(connection)
    this.#around.log({ tag: 'Closed', peer: connection.peer, reason })
  }

  /** Ends all at once, answering nothing more: what a crash looks like from outside. */
  terminate(): void {
    for (const connection of this.#connections.keys()) connection.terminate()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true
    const open = [...this.#connections.keys()]
    await this.#within(
      this.#around.limits.drainMs,
      open.map((connection) => connection.drain()),
    )
    const gone = open.map((connection) => this.#whenClosed(connection))
    for (const connection of open) connection.close('leaving', 'The gateway stops.')
    await this.#within(CLOSE_MS, gone)
    this.terminate()
  }

  #open(pipe: Pipe, address: string, plain: boolean, signedIn: ConstructorParameters<typeof ConnectedPeer>[1]): Connection {
    this.#made += 1
    const nonce = Buffer.from(this.#options.random(16)).toString('hex')
    const connection = new Connection(pipe, new ConnectedPeer({ id: `c${this.#made}`, address, nonce, plain }, signedIn), this.#around)
    this.#connections.set(connection, () => undefined)
    this.#around.log({ tag: 'Opened', peer: connection.peer })
    void connection.expectProof()
    return connection
  }

  #remember(agent: AgentKey, peer: FramedPeer): void {
    const peers = (this.#framed.get(agent) ?? new Set()).add(peer)
    this.#framed.set(agent, peers)
    // Each may hold its share of memory (I16); the newest is the one that the device still knows of.
    const [oldest] = peers
    if (peers.size > this.#around.limits.maxPerAgent)
      oldest?.connection.close('policy', 'This device has too many connections: the oldest was closed.')
  }

  #forget(agent: AgentKey, peer: FramedPeer): void {
    const peers = this.#framed.get(agent)
    peers?.delete(peer)
    if (peers?.size === 0) this.#framed.delete(agent)
  }

  #whenClosed(connection: Connection): Promise<void> {
    return new Promise((resolve) => (this.#connections.has(connection) ? this.#connections.set(connection, resolve) : resolve()))
  }

  async #within(ms: number, promises: readonly Promise<void>[]): Promise<void> {
    const enough = new AbortController()
    await Promise.race([Promise.all(promises), this.#options.clock.sleep(ms, enough.signal)])
    enough.abort()
  }
}
