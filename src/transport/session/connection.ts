import type { Clock } from '../../lib/clock.ts'
import type { Envelope, Handler } from '../port.ts'
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

/** One peer's connection at the server: its requests in order and in bounds, its answers paced, its end. */
export class Connection {
  readonly peer: ConnectedPeer
  readonly #pipe: Pipe
  readonly #around: Surroundings
  readonly #lane: Lane
  readonly #ended = new AbortController()
  #unsent = 0
  readonly #whenSent: (() => void)[] = []
  #lastBegun: number

  constructor(pipe: Pipe, peer: ConnectedPeer, around: Surroundings) {
    this.peer = peer
    this.#pipe = pipe
    this.#around = around
    const { maxInFlight, maxInFlightBytes } = around.limits
    this.#lane = new Lane({ jobs: peer.plain ? 1 : maxInFlight, bytes: maxInFlightBytes }, pipe)
    this.#lastBegun = around.clock.monotonic()
  }

  /** Aborted when the connection has ended, for whatever reason. */
  get signal(): AbortSignal {
    return this.#ended.signal
  }

  get keepsUp(): boolean {
    return this.#pipe.buffered() < KEEPS_UP
  }

  /** Handles a request in its turn, and gives the answer to `reply`. */
  handle(request: Envelope, reply: (answer: Envelope) => Promise<void>): void {
    this.respond(() => this.#answer(request), request.payload.byteLength, reply)
  }

  /** As `handle`, with an answer that needs no handler. */
  respond(answer: () => Promise<Envelope>, bytes: number, reply: (answer: Envelope) => Promise<void>): void {
    const run = async (): Promise<void> => {
      this.#lastBegun = this.#around.clock.monotonic()
      try {
        const given = await answer()
        if (!this.signal.aborted) await reply(given)
      } catch (error) {
        // An answer that can't be put into JSON: the peer would wait for it for ever.
        this.fault(error)
        this.terminate()
      }
    }
    this.#lane.add({ bytes, run })
  }

  /** Sends; resolves at once while the wire keeps up, otherwise when it has left: so answers that are not read stop new requests. */
  async put(send: (flushed: () => void) => void): Promise<void> {
    const keepsUp = this.keepsUp
    this.#unsent += 1
    const sent = new Promise<void>((resolve) => {
      send(() => {
        this.#unsent -= 1
        resolve()
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

  /** Closes a connection that has not signed in when it does nothing for too long. */
  async expectSignIn(): Promise<void> {
    const { clock, limits } = this.#around
    const patience = this.peer.plain ? limits.plainIdleMs : limits.signInMs
    for (;;) {
      await clock.sleep(patience, this.signal)
      if (this.signal.aborted || this.peer.agent !== undefined) return
      const idle = this.#lane.running === 0 && clock.monotonic() - this.#lastBegun >= patience
      if (idle) return this.close('policy', this.peer.plain ? 'It was idle for too long.' : 'It did not sign in in time.')
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
