import { bytesPassed } from '../../lib/bytes-passed.ts'
import { decodeFrame, type Pieces } from '../session/framing.ts'
import type { Ending, Link, LinkListener, Pipe } from '../session/link.ts'
import { keepAlive } from './heartbeat.ts'
import type { RawData, Sockets } from './socket.ts'

const CODES: Readonly<Record<Ending, number>> = { done: 1000, leaving: 1001, protocol: 1002, policy: 1008 }
/** How long a peer may take to close its side, once it was asked to. */
const CLOSE_MS = 1000

/** One WebSocket as a pipe of messages, binary or text. */
export class WebSocketPipe implements Pipe {
  protected readonly sockets: Sockets
  readonly #ended = new AbortController()
  readonly #closed = Promise.withResolvers<string>()
  #failure: string | undefined
  #closing = false

  /** Reads nothing before `open`: the peer's first message may have come with its handshake. */
  constructor(sockets: Sockets) {
    this.sockets = sockets
    const { socket } = sockets
    socket.binaryType = 'fragments'
    socket.pause()
    socket.on('error', (error) => {
      this.#failure ??= error.message
      void this.#cutOff()
    })
    socket.on('close', (code, reason) => {
      this.#ended.abort()
      this.#closed.resolve(this.#failure ?? (reason.length > 0 ? reason.toString('utf8') : `The connection was lost (${code}).`))
    })
  }

  /** `patience`: see `keepAlive`. */
  open(patience: number, message: (data: RawData, isBinary: boolean) => void, closed: (reason: string) => void): void {
    this.sockets.socket.on('message', (data, isBinary) => {
      if (!this.#closing) message(data, isBinary)
    })
    void this.#closed.promise.then(closed)
    const dead = (reason: string): void => {
      this.#failure ??= reason
      this.terminate()
    }
    void keepAlive(this.sockets, patience, this.#ended.signal, dead)
    this.resume()
  }

  buffered(): number {
    return this.sockets.socket.bufferedAmount
  }

  pause(): void {
    this.sockets.socket.pause()
  }

  resume(): void {
    this.sockets.socket.resume()
  }

  close(ending: Ending, reason: string): void {
    if (this.#closing) return
    this.#closing = true
    this.#failure ??= reason
    this.sockets.socket.close(CODES[ending], cut(reason))
    // Its own closing frame must be read, or it would never be known to have ended.
    this.sockets.socket.resume()
    void this.#cutOff()
  }

  terminate(): void {
    this.#closing = true
    this.sockets.socket.terminate()
  }

  /** Sends a message in these pieces, none of them copied, in one system call where it fits. */
  sendPieces(pieces: Pieces, flushed: () => void): void {
    const { socket, wire } = this.sockets
    const last = pieces.length - 1
    if (last > 0) wire.cork()
    for (const [index, piece] of pieces.entries()) {
      if (index < last) socket.send(piece, { fin: false })
      else socket.send(piece, { fin: true }, flushed)
    }
    if (last > 0) wire.uncork()
  }

  sendText(text: string, flushed: () => void): void {
    this.sockets.socket.send(text, flushed)
  }

  async #cutOff(): Promise<void> {
    await this.sockets.clock.sleep(CLOSE_MS, this.#ended.signal)
    if (!this.#ended.signal.aborted) this.terminate()
  }
}

/** One WebSocket that carries EventSync's frames. */
export class WebSocketLink extends WebSocketPipe implements Link {
  send(frame: Pieces, flushed: () => void): void {
    this.sendPieces(frame, flushed)
  }

  received(): number {
    return this.sockets.wire.bytesRead
  }

  listen(listener: LinkListener): void {
    const message = (data: RawData, isBinary: boolean): void => {
      const pieces = piecesOf(data)
      bytesPassed(BUFFERED_TWICE * pieces.reduce((sum, { length }) => sum + length, 0))
      if (isBinary) listener.received(decodeFrame(pieces))
      else this.close('protocol', `A text message is not a frame of EventSync's.`)
    }
    this.open(FRAMED_PATIENCE, message, listener.closed)
  }
}

/** In the pieces that the socket gave, and in the one that they were put together into. */
const BUFFERED_TWICE = 2

/** Both sides of EventSync's framing send pings, so one that is silent for so many beats is gone. */
const FRAMED_PATIENCE = 3

/** A binary message as it came; `ws` hands out fragments where it was asked to. */
export const piecesOf = (data: RawData): Pieces =>
  Array.isArray(data) ? data : [data instanceof ArrayBuffer ? new Uint8Array(data) : data]

/** A close reason has room for 123 bytes. */
const cut = (reason: string): string => {
  if (Buffer.byteLength(reason) <= 123) return reason
  return `${new TextDecoder().decode(Buffer.from(reason).subarray(0, 117)).replace(/\uFFFD+$/, '')}…`
}
