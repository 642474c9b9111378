import * as E from 'fp-ts/lib/Either.js'
import type { Clock } from '../../lib/clock.ts'
import type { JsonObject } from '../../protocol/json.ts'
import { notificationFrame } from '../notification.ts'
import { NO_BYTES, type Envelope, type FolderAt } from '../port.ts'
import type { Connection } from './connection.ts'
import { encodeFrame, type Frame, type FrameError, type FrameType, type Pieces } from './framing.ts'
import type { Link } from './link.ts'
import { refusal } from './refusal.ts'

/** More folders than one agent has: a reader that misses so many is dropped. */
const MOST_PENDING = 4096

/** EventSync's own framing on a server's connection: challenge, requests and answers, notifications. */
export class FramedPeer {
  readonly connection: Connection
  readonly #link: Link
  readonly #clock: Clock
  /** Notifications that wait for the wire, the last one of each folder (I16). */
  readonly #pending = new Map<string, number>()

  constructor(link: Link, connection: Connection, clock: Clock) {
    this.connection = connection
    this.#link = link
    this.#clock = clock
  }

  /** The first frame: what a SignIn on this connection must sign. */
  challenge(): void {
    void this.#send('challenge', 0, { Action: 'Challenge', Nonce: this.connection.peer.nonce, Version: 1 })
  }

  received(frame: E.Either<FrameError, Frame>): void {
    if (this.connection.signal.aborted) return
    if (E.isLeft(frame)) return this.#broken(frame.left)
    const { type, id, head, payload } = frame.right
    if (type !== 'request')
      return this.#broken({ id: undefined, code: 'format', reason: `A frame of the type ${type} is not for a gateway.` })
    this.connection.handle({ message: head, payload }, (answer) => this.#reply(id, answer))
  }

  /** Sends it now; or, once the wire keeps up again, where its folder has got to, without a page. */
  notify({ folder, position }: FolderAt, frame: Pieces): void {
    if (this.connection.keepsUp) return void this.#put(frame)
    this.#pending.set(folder, position)
    if (this.#pending.size > MOST_PENDING) this.connection.terminate()
  }

  #broken(error: FrameError): void {
    this.connection.broken(error.reason)
    if (error.id === undefined) return this.connection.close('protocol', error.reason)
    const { id, code, reason } = error
    const answer = refusal(this.#clock, code === 'tooLarge' ? 413 : 400, code, reason)
    this.connection.respond(answer, (given) => this.#reply(id, given))
  }

  async #reply(id: number, answer: Envelope): Promise<void> {
    await this.#send('answer', id, answer.message, answer.payload)
  }

  async #send(type: FrameType, id: number, head: JsonObject, payload: Uint8Array = NO_BYTES): Promise<void> {
    const pieces = encodeFrame({ type, id, head, payload })
    if (E.isLeft(pieces)) return this.#reply(id, this.connection.fault(new Error(pieces.left)))
    await this.#put(pieces.right)
  }

  async #put(pieces: Pieces): Promise<void> {
    await this.connection.put((flushed) =>
      this.#link.send(pieces, () => {
        flushed()
        this.#flushed()
      }),
    )
  }

  #flushed(): void {
    if (this.#pending.size === 0 || !this.connection.keepsUp || this.connection.signal.aborted) return
    const pending = [...this.#pending]
    this.#pending.clear()
    for (const [folder, position] of pending) this.notify({ folder, position }, notificationFrame({ folder, position }))
  }
}
