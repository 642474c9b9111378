import * as E from 'fp-ts/lib/Either.js'
import type { Clock } from '../../lib/clock.ts'
import type { JsonObject } from '../../protocol/json.ts'
import { readNotification } from '../notification.ts'
import { NO_BYTES, type Envelope, type FolderAt } from '../port.ts'
import { encodeFrame, type Frame, type FrameError } from './framing.ts'
import type { Ending, Link } from './link.ts'
import { Outstanding, unreachable, type Result } from './outstanding.ts'

/** A request that has not been answered; `id` since it was sent. */
interface Waiting {
  readonly envelope: Envelope
  id: number | undefined
  settled: boolean
  settle: (result: Result) => void
}

const GIVEN_UP = unreachable('It was given up.')

/** Above this much unsent, requests wait for their turn. */
const FULL = 1024 * 1024

/** One connection of a client, from its challenge to its end. */
export class ClientSession {
  readonly #link: Link
  readonly #folderAt: (told: FolderAt) => void
  readonly #outstanding: Outstanding
  /** Requests that wait until the wire is less full, in order. */
  readonly #waiting: Waiting[] = []
  readonly #nonce = Promise.withResolvers<string | undefined>()
  readonly #closed = Promise.withResolvers<void>()
  #ended: string | undefined

  constructor(link: Link, clock: Clock, requestTimeoutMs: number, folderAt: (told: FolderAt) => void) {
    this.#link = link
    this.#folderAt = folderAt
    this.#outstanding = new Outstanding(clock, requestTimeoutMs, () => link.received())
    link.listen({
      received: (frame) => this.#received(frame),
      closed: (reason) => {
        this.#finish(reason)
        this.#closed.resolve()
      },
    })
  }

  /** Why it ended; undefined while it lasts. */
  get end(): string | undefined {
    return this.#ended
  }

  /** Resolves when its wire has ended, too. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** Waits for the gateway's challenge, and answers it with a sign-in. A left tells why the connection is of no use. */
  async signIn(
    sign: ((nonce: string) => JsonObject) | undefined,
  ): Promise<E.Either<{ readonly refused: boolean; readonly reason: string }, void>> {
    const nonce = await this.#nonce.promise
    if (nonce === undefined) return E.left({ refused: false, reason: this.#ended ?? 'It ended before it began.' })
    if (sign === undefined) return E.right(undefined)
    const answer = await this.request({ message: sign(nonce), payload: NO_BYTES })
    if (E.isLeft(answer)) return E.left({ refused: false, reason: answer.left.reason })
    const { Status: status, Reason: reason } = answer.right.message
    if (status === 200) return E.right(undefined)
    return E.left({
      refused: status === 403,
      reason: typeof reason === 'string' ? reason : `The gateway answered the sign-in with ${JSON.stringify(status)}.`,
    })
  }

  request(envelope: Envelope, signal?: AbortSignal): Promise<Result> {
    return new Promise((resolve) => {
      const waits: Waiting = { envelope, id: undefined, settled: false, settle: () => undefined }
      const giveUp = (): void => {
        if (waits.id === undefined) waits.settle(GIVEN_UP)
        else this.#outstanding.settle(waits.id, GIVEN_UP)
      }
      waits.settle = (result) => {
        waits.settled = true
        signal?.removeEventListener('abort', giveUp)
        resolve(result)
      }
      if (signal?.aborted === true) return giveUp()
      signal?.addEventListener('abort', giveUp)
      if (this.#waiting.length > 0 || this.#link.buffered() >= FULL) this.#waiting.push(waits)
      else this.#send(waits)
    })
  }

  close(ending: Ending, reason: string): void {
    this.#finish(reason)
    this.#link.close(ending, reason)
  }

  terminate(reason: string): void {
    this.#finish(reason)
    this.#link.terminate()
  }

  #send(request: Waiting): void {
    if (request.settled) return
    if (this.#ended !== undefined) return request.settle(unreachable(this.#ended))
    const id = this.#outstanding.add(request.settle)
    request.id = id
    const pieces = encodeFrame({ type: 'request', id, head: request.envelope.message, payload: request.envelope.payload })
    if (E.isLeft(pieces)) return this.#outstanding.settle(id, E.left({ tag: 'TooLarge', reason: pieces.left }))
    this.#link.send(pieces.right, () => {
      this.#outstanding.sent(id)
      this.#sendWaiting()
    })
  }

  #sendWaiting(): void {
    while (this.#waiting.length > 0 && (this.#ended !== undefined || this.#link.buffered() < FULL)) {
      const next = this.#waiting.shift()
      if (next !== undefined) this.#send(next)
    }
  }

  #received(frame: E.Either<FrameError, Frame>): void {
    if (this.#ended !== undefined) return
    if (E.isLeft(frame)) return this.close('protocol', frame.left.reason)
    const { type, id, head, payload } = frame.right
    if (type === 'answer') {
      this.#outstanding.settle(id, E.right({ message: head, payload }))
      // Some links count as full by what is unanswered, not by what is unsent.
      return this.#sendWaiting()
    }
    const { Nonce: nonce } = head
    if (type === 'challenge' && typeof nonce === 'string') return this.#nonce.resolve(nonce)
    const told = type === 'notification' ? readNotification({ message: head, payload }) : undefined
    if (told !== undefined) return this.#folderAt(told)
    this.close('protocol', `The gateway sent a frame of the type ${type} that is not of the expected form.`)
  }

  /** Everybody who waits is told, at once: the answers, if any come, are for nobody (at least once). */
  #finish(reason: string): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    this.#nonce.resolve(undefined)
    this.#outstanding.end(reason)
    this.#sendWaiting()
  }
}
