import type { Clock } from '../../lib/clock.ts'
import { MAX_HEAD, MAX_PAYLOAD, type Envelope, type Handler } from '../port.ts'
import { Lane } from './lane.ts'
import type { Ending, Pipe } from './link.ts'
import type { ServerEvent, ServerLimits } from './options.ts'
import type { ConnectedPeer } from './peer.ts'
import { refusal } from './refusal.ts'

/** What all connections of a server share. */
export interface Surroundings {
  readonly clock: Clock
  readonly limits: ServerLimits
  readonly handler: () => Handler | undefined
  readonly log: (event: ServerEvent) => void
}

/** Below this much unsent, the wire keeps up: more may be sent without waiting. */
const KEEPS_UP = 1024 * 1024

/** Bytes that the answer to a request may have; those to other actions are small. */
const LARGEST_ANSWER = new Map<unknown, number>([
  ['Open', MAX_PAYLOAD],
  ['ReadLog', MAX_PAYLOAD],
  ['Audit', MAX_PAYLOAD],
  ['Sync', MAX_HEAD],
])

/** One peer's connection at the server: its requests in order and in bounds, its answers paced, its end. */
export class Connection {
  readonly peer: ConnectedPeer
  readonly #pipe: Pipe
  readonly #around: Surroundings
  readonly #lane: Lane
  readonly #ended = new AbortController()
  #unsent = 0
  readonly #whenSent: (() => void)[] = []
  /** What answers that are being made may still take (I16). */
  #making = 0
  #lastUse: number

  constructor(pipe: Pipe, peer: ConnectedPeer, around: Surroundings) {
    this.peer = peer
    this.#pipe = pipe
    this.#around = around
    const { maxInFlight, maxInFlightBytes } = around.limits
    this.#lane = new Lane({ jobs: peer.plain ? 1 : maxInFlight, bytes: maxInFlightBytes }, pipe)
    this.#lastUse = around.clock.monotonic()
  }

  /** Aborted when the connection has ended, for whatever reason. */
  get signal(): AbortSignal {
    return this.#ended.signal
  }

  /** It has not shown who it is, by a signature or a password. */
  get isStranger(): boolean {
    return this.peer.agent === undefined && !this.peer.proved
  }

  get keepsUp(): boolean {
    return this.#pipe.buffered() < KEEPS_UP
  }

  /** Handles a request in its turn, and gives the answer to `reply`. */
  handle(request: Envelope, reply: (answer: Envelope) => Promise<void>): void {
    const largest = LARGEST_ANSWER.get(request.message['Action']) ?? 0
    this.#lane.add({
      bytes: request.payload.byteLength,
      fits: () => this.#making + this.#pipe.buffered() + largest <= this.#around.limits.maxAnswerBytes,
      run: () => {
        this.#making += largest
        return this.#reply(this.#answer(request), reply, largest)
      },
    })
  }

  /** As `handle`, with an answer that needs no handler. */
  respond(answer: Envelope, reply: (answer: Envelope) => Promise<void>): void {
    this.#lane.add({ bytes: 0, run: () => this.#reply(Promise.resolve(answer), reply) })
  }

  /** Sends; resolves at once while the wire keeps up, otherwise when it has left: so answers that are not read stop new requests. */
  async put(send: (flushed: () => void) => void): Promise<void> {
    const keepsUp = this.keepsUp
    this.#unsent += 1
    const sent = new Promise<void>((resolve) => {
      send(() => {
        this.#unsent -= 1
        resolve()
        this.#lane.advance()
        if (this.#unsent === 0) for (const done of this.#whenSent.splice(0)) done()
      })
    })
    if (!keepsUp) await sent
  }

  /** Takes no new request; resolves when those begun are answered and the answers have left. */
  async drain(): Promise<void> {
    await this.#lane.stop()
    if (this.#unsent > 0) await new Promise<void>((resolve) => this.#whenSent.push(resolve))
  }

  /** Ends it: nothing of it is handled or answered any more. */
  close(ending: Ending, reason: string): void {
    this.ended()
    this.#pipe.close(ending, reason)
  }

  terminate(): void {
    this.ended()
    this.#pipe.terminate()
  }

  /** To be called when the wire has ended. */
  ended(): void {
    this.#ended.abort()
    void this.#lane.stop()
  }

  broken(reason: string): void {
    this.#around.log({ tag: 'Broken', peer: this.peer, reason })
  }

  fault(error: unknown): Envelope {
    this.#around.log({ tag: 'Fault', peer: this.peer, error })
    return refusal(this.#around.clock, 500, 'fault', 'The gateway failed: the fault is its own.')
  }

  /** Closes a connection that does not prove who it is in time, or that proved it by a password and does nothing for too long. */
  async expectProof(): Promise<void> {
    const { clock, limits } = this.#around
    for (;;) {
      await clock.sleep(this.#patience(limits), this.signal)
      if (this.signal.aborted || this.peer.agent !== undefined) return
      const idle = this.#lane.running === 0 && clock.monotonic() - this.#lastUse >= this.#patience(limits)
      if (idle) return this.close('policy', this.peer.proved ? 'It was idle for too long.' : 'It did not sign in in time.')
    }
  }

  #patience({ plainIdleMs, signInMs }: ServerLimits): number {
    return this.peer.proved ? plainIdleMs : signInMs
  }

  async #reply(made: Promise<Envelope>, reply: (answer: Envelope) => Promise<void>, promised = 0): Promise<void> {
    try {
      const answer = await made
      this.#making -= promised
      // What is refused buys a stranger no time.
      if (!isRefusal(answer)) this.#lastUse = this.#around.clock.monotonic()
      if (!this.signal.aborted) await reply(answer)
    } catch (error) {
      // An answer that can't be put into JSON: the peer would wait for it for ever.
      this.fault(error)
      this.terminate()
    }
  }

  async #answer(request: Envelope): Promise<Envelope> {
    const handler = this.#around.handler()
    if (handler === undefined) return refusal(this.#around.clock, 503, 'busy', 'The gateway is starting.')
    try {
      return await handler(request, this.peer, this.signal)
    } catch (error) {
      return this.fault(error)
    }
  }
}

const isRefusal = ({ message: { Status: status } }: Envelope): boolean => typeof status === 'number' && status >= 400
