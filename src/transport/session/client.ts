import type * as TE from 'fp-ts/lib/TaskEither.js'
import * as E from 'fp-ts/lib/Either.js'
import type { Clock } from '../../lib/clock.ts'
import type { JsonObject } from '../../protocol/json.ts'
import type { ClientTransport, Envelope, FolderAt, Notification, TransportError } from '../port.ts'
import { ClientSession } from './client-session.ts'
import type { Link } from './link.ts'
import type { RandomBytes } from './options.ts'
import { unreachable, type Result } from './outstanding.ts'
import { PAUSES, pauseAfter, STABLE_MS } from './pause.ts'

/** Makes one connection; a left is the reason why there is none. Aborted: it is given up. */
export type Connect = (signal: AbortSignal) => Promise<E.Either<string, Link>>

export interface SessionClientOptions {
  readonly clock: Clock
  readonly random: RandomBytes
  /** Makes the SignIn request over the gateway's nonce; without it the client stays anonymous (registration). */
  readonly signIn?: (nonce: string) => JsonObject
  /** How long an answer may stay away while nothing else of any size comes in; default 60 s. */
  readonly requestTimeoutMs?: number
  /** The longest pause between attempts to connect; default 30 s. */
  readonly maxPauseMs?: number
  /** Told of each change of the connection's state, for logs. */
  readonly onState?: (state: ConnectionState) => void
}

export type ConnectionState = Extract<Notification, { tag: 'Connected' | 'Disconnected' }>

/** How one connection, or the attempt at one, came to its end. */
interface Ended {
  readonly reason: string
  readonly refused: boolean
  /** How long it was of use. */
  readonly liveMs: number
}

const LOST = { reason: 'The connection was lost.', refused: false } as const

/** How long connecting, with the sign-in, may take. */
const OPEN_MS = 15_000

/** The agent's side over any kind of link: connects, signs in, and does so again when the link ends, until disposed. */
export class SessionClient implements ClientTransport {
  readonly #connect: Connect
  readonly #options: SessionClientOptions
  readonly #stop = new AbortController()
  readonly #listeners = new Set<(notification: Notification) => void>()
  readonly #running: Promise<void>
  #session: ClientSession | undefined
  #state: ConnectionState = { tag: 'Disconnected', reason: 'Not connected yet.', refused: false }
  /** While an attempt is made, requests wait here for what becomes of it. */
  #attempt: PromiseWithResolvers<void> | undefined

  constructor(connect: Connect, options: SessionClientOptions) {
    this.#connect = connect
    this.#options = options
    this.#running = this.#run()
  }

  request(envelope: Envelope, signal?: AbortSignal): TE.TaskEither<TransportError, Envelope> {
    return () => this.#session?.request(envelope, signal) ?? this.#requestLater(envelope, signal)
  }

  notifications(listener: (notification: Notification) => void): () => void {
    const own = (notification: Notification): void => listener(notification)
    this.#listeners.add(own)
    own(this.#state)
    return () => this.#listeners.delete(own)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #requestLater(envelope: Envelope, signal: AbortSignal | undefined): Promise<Result> {
    if (this.#attempt !== undefined) await untilAborted(this.#attempt.promise, signal)
    if (signal?.aborted === true) return unreachable('It was given up.')
    if (this.#session !== undefined) return this.#session.request(envelope, signal)
    const { reason, refused } = this.#state.tag === 'Disconnected' ? this.#state : LOST
    return E.left({ tag: refused ? 'SignInRefused' : 'Unreachable', reason })
  }

  async #run(): Promise<void> {
    const { clock, random, maxPauseMs = PAUSES.longest } = this.#options
    for (let failures = 0; !this.#stop.signal.aborted;) {
      const { reason, refused, liveMs } = await this.#once()
      failures = liveMs >= STABLE_MS ? 0 : failures + 1
      this.#became({ tag: 'Disconnected', reason, refused })
      await clock.sleep(refused ? PAUSES.refused : pauseAfter(failures, maxPauseMs, random), this.#stop.signal)
    }
    this.#became({ tag: 'Disconnected', reason: 'This client was closed.', refused: false })
  }

  /** One connection, from the attempt to its end. */
  async #once(): Promise<Ended> {
    this.#attempt = Promise.withResolvers()
    const opening = new AbortController()
    const giveUp = (): void => opening.abort()
    this.#stop.signal.addEventListener('abort', giveUp)
    const done = new AbortController()
    void this.#options.clock.sleep(OPEN_MS, done.signal).then(() => !done.signal.aborted && giveUp())
    const opened = await this.#open(opening.signal)
    this.#stop.signal.removeEventListener('abort', giveUp)
    done.abort()
    return E.isLeft(opened) ? opened.left : this.#live(opened.right)
  }

  async #open(signal: AbortSignal): Promise<E.Either<Ended, ClientSession>> {
    const link = await this.#connect(signal)
    if (E.isLeft(link)) return E.left({ reason: link.left, refused: false, liveMs: 0 })
    // Before Connected is told there is nobody to tell: who hears Connected asks for all that was missed.
    const folderAt = (told: FolderAt): void => this.#session && this.#tell({ tag: 'FolderAt', ...told })
    const session = new ClientSession(link.right, this.#options.clock, this.#options.requestTimeoutMs ?? 60_000, folderAt)
    const giveUp = (): void => session.terminate('Connecting took too long, or was given up.')
    signal.addEventListener('abort', giveUp)
    const signedIn = await session.signIn(this.#options.signIn)
    signal.removeEventListener('abort', giveUp)
    if (E.isRight(signedIn)) return E.right(session)
    session.close('done', 'The sign-in failed.')
    await session.closed
    return E.left({ ...signedIn.left, liveMs: 0 })
  }

  async #live(session: ClientSession): Promise<Ended> {
    const begun = this.#options.clock.monotonic()
    const leave = (): void => session.close('done', 'This client was closed.')
    this.#stop.signal.addEventListener('abort', leave)
    this.#session = session
    this.#became({ tag: 'Connected' })
    if (this.#stop.signal.aborted) leave()
    await session.closed
    this.#stop.signal.removeEventListener('abort', leave)
    this.#session = undefined
    return { reason: session.end ?? LOST.reason, refused: false, liveMs: this.#options.clock.monotonic() - begun }
  }

  /** Tells of a change, and lets those go on who waited for the attempt. */
  #became(state: ConnectionState): void {
    const before = this.#state
    this.#state = state
    this.#attempt?.resolve()
    this.#attempt = undefined
    if (before.tag === 'Disconnected' && state.tag === 'Disconnected' && before.reason === state.reason && before.refused === state.refused)
      return
    this.#options.onState?.(state)
    this.#tell(state)
  }

  #tell(notification: Notification): void {
    for (const listener of [...this.#listeners]) listener(notification)
  }
}

const untilAborted = (promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      signal?.removeEventListener('abort', done)
      resolve()
    }
    if (signal?.aborted === true) return done()
    signal?.addEventListener('abort', done)
    void promise.then(done)
  })
