import * as E from 'fp-ts/lib/Either.js'
import type { Clock } from '../lib/clock.ts'
import { decodeFrame, type Frame, type FrameError, type Pieces } from './session/framing.ts'
import type { Ending, Link, LinkListener } from './session/link.ts'

/** One frame on its way. */
export interface Passage {
  readonly client: string
  readonly direction: 'toServer' | 'toClient'
  readonly frame: Frame
}

/** `after`: milliseconds until it arrives; none: it is lost, several: it is duplicated. Unequal delays reorder. `Cut`: the connection breaks instead. */
export type Fate = { readonly tag: 'Arrives'; readonly after: readonly number[] } | { readonly tag: 'Cut' }

/** One connection in memory: two links, joined. */
export class MemoryWire {
  readonly client: MemoryLink
  readonly server: MemoryLink
  readonly #over: () => void

  constructor(name: string, clock: Clock, fate: (passage: Passage) => Fate, over: () => void) {
    this.#over = over
    const end = (reason: string): void => this.cut(reason)
    this.client = new MemoryLink(clock, (frame) => fate({ client: name, direction: 'toServer', frame }), end)
    this.server = new MemoryLink(clock, (frame) => fate({ client: name, direction: 'toClient', frame }), end)
    this.client.join(this.server)
    this.server.join(this.client)
  }

  /** Ends it; what was on its way is lost. A side whose process is gone is not told. */
  cut(reason: string, gone?: 'client' | 'server'): void {
    this.#over()
    this.client.end(gone === 'client' ? undefined : reason)
    this.server.end(gone === 'server' ? undefined : reason)
  }
}

type Arrival = E.Either<FrameError, Frame>

/** One end of a wire in memory. */
class MemoryLink implements Link {
  readonly #clock: Clock
  readonly #fate: (frame: Frame) => Fate
  readonly #cut: (reason: string) => void
  readonly #ended = new AbortController()
  readonly #closed = Promise.withResolvers<string>()
  /** What has arrived and waits for `resume`. */
  readonly #inbox: (() => void)[] = []
  /** Called for what was sent and has not been taken by the other side. */
  readonly #unsent = new Set<() => void>()
  #other: MemoryLink | undefined
  #listener: LinkListener | undefined
  #buffered = 0
  #received = 0
  #paused = true
  /** Why this side has closed it; nothing is received any more. */
  #closing: string | undefined

  constructor(clock: Clock, fate: (frame: Frame) => Fate, cut: (reason: string) => void) {
    this.#clock = clock
    this.#fate = fate
    this.#cut = cut
  }

  join(other: MemoryLink): void {
    this.#other = other
  }

  listen(listener: LinkListener): void {
    this.#listener = listener
    void this.#closed.promise.then(listener.closed)
    this.resume()
  }

  send(pieces: Pieces, flushed: () => void): void {
    const size = pieces.reduce((sum, piece) => sum + piece.byteLength, 0)
    // A copy, as a real wire makes: what the sender does to its bytes afterwards is not seen by the receiver.
    const arrival = decodeFrame([Buffer.concat(pieces)])
    const fate = E.isLeft(arrival) ? AT_ONCE : this.#fateOf(arrival.right)
    const taken = (): void => {
      if (!this.#unsent.delete(taken)) return
      this.#buffered -= size
      flushed()
      if (this.#closing !== undefined && this.#unsent.size === 0) this.#cut(this.#closing)
    }
    this.#buffered += size
    this.#unsent.add(taken)
    if (fate.tag === 'Cut') return this.#cut('The connection was cut.')
    if (fate.after.length === 0) queueMicrotask(taken)
    for (const after of fate.after) void this.#carry(arrival, size, after, taken)
  }

  buffered(): number {
    return this.#buffered
  }

  received(): number {
    return this.#received
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    while (this.#inbox.length > 0 && !this.#isPaused()) this.#inbox.shift()?.()
  }

  close(_ending: Ending, reason: string): void {
    if (this.#closing !== undefined) return
    this.#closing = reason
    this.resume()
    if (this.#unsent.size === 0) this.#cut(reason)
    else void this.#clock.sleep(CLOSE_MS, this.#ended.signal).then(() => this.#cut(reason))
  }

  terminate(): void {
    this.#closing ??= ''
    this.#cut('The connection was cut.')
  }

  /** To be called when the wire is cut; without a reason this side hears nothing of it. */
  end(reason: string | undefined): void {
    if (this.#ended.signal.aborted) return
    this.#ended.abort()
    this.#inbox.length = 0
    if (reason === undefined) return this.#unsent.clear()
    for (const taken of [...this.#unsent]) taken()
    this.#closed.resolve(reason)
  }

  /** What is taken may lead to another pause. */
  #isPaused(): boolean {
    return this.#paused
  }

  #fateOf(frame: Frame): Fate {
    return this.#ended.signal.aborted ? LOST : this.#fate(frame)
  }

  async #carry(arrival: Arrival, size: number, after: number, taken: () => void): Promise<void> {
    if (after > 0) await this.#clock.sleep(after, this.#ended.signal)
    else await Promise.resolve()
    this.#other?.arrive(() => {
      taken()
      this.#other?.take(arrival, size)
    })
  }

  /** To be called by the other side: when something has come over, which is taken at once or after `resume`. */
  arrive(take: () => void): void {
    if (this.#ended.signal.aborted) return
    if (this.#paused) this.#inbox.push(take)
    else take()
  }

  take(arrival: Arrival, size: number): void {
    this.#received += size
    if (this.#closing === undefined) this.#listener?.received(arrival)
  }
}

const AT_ONCE: Fate = { tag: 'Arrives', after: [0] }
const LOST: Fate = { tag: 'Arrives', after: [] }
/** How long a peer may take to read the rest, once the connection is being closed. */
const CLOSE_MS = 1000
