import type * as E from 'fp-ts/lib/Either.js'
import type { Frame, FrameError, Pieces } from './framing.ts'

/** How a connection can be slowed and ended, whatever is spoken on it. */
export interface Pipe {
  /** Bytes that were sent and have not left this process yet. */
  buffered(): number
  /** Stops and starts reading: what the peer sends meanwhile waits on the wire. A little that was read already may still come after `pause`. */
  pause(): void
  resume(): void
  /** Ends it after what was sent, telling the peer why; nothing is received any more. A peer that does not close its side is cut off soon after. */
  close(ending: Ending, reason: string): void
  /** Ends it at once. */
  terminate(): void
}

/** `done`: nothing is wrong; `leaving`: this side stops, come again; `protocol`: the peer does not speak it; `policy`: the peer is not welcome. */
export type Ending = 'done' | 'leaving' | 'protocol' | 'policy'

/** One connection as a session sees it: whole frames, in order, until it ends. */
export interface Link extends Pipe {
  /** Takes the frame at once; `flushed` is called once: when it has left this process, or never will. */
  send(frame: Pieces, flushed: () => void): void
  /** Bytes received so far: shows that a large frame is on its way. */
  received(): number
  /** Called once, right after the link was made; nothing is received before. */
  listen(listener: LinkListener): void
}

export interface LinkListener {
  readonly received: (frame: E.Either<FrameError, Frame>) => void
  /** Called once, last. */
  readonly closed: (reason: string) => void
}
