import * as E from 'fp-ts/lib/Either.js'
import { afterEach, beforeEach, expect, onTestFinished, vi } from 'vitest'
import type { AgentKey } from '../../src/domain/events.ts'
import type { JsonObject } from '../../src/protocol/json.ts'
import {
  NO_BYTES,
  type ClientTransport,
  type Envelope,
  type Handler,
  type Notification,
  type ServerTransport,
  type TransportError,
} from '../../src/transport/port.ts'
import { fastClock } from '../support/fast-clock.ts'
import type { ClientOptions, ServerOptions, TransportAdapter, TransportFixture } from './transport.adapters.ts'

/** The network of the present test: whatever is started on it ends with the test. */
export interface Network {
  server(options?: ServerOptions): Promise<ServerTransport>
  client(options?: ClientOptions): ClientTransport
  cut(): void
}

/** Its time runs 10 times as fast as the real one. */
export const networkOf = (adapter: TransportAdapter): Network => {
  let fixture: TransportFixture
  let started: AsyncDisposable[] = []
  const keep = <T extends AsyncDisposable>(each: T): T => {
    started.push(each)
    return each
  }
  beforeEach(async () => {
    fixture = await adapter.create(fastClock(10))
    started = []
  })
  afterEach(async () => {
    await Promise.all(started.map((each) => each[Symbol.asyncDispose]()))
    await fixture[Symbol.asyncDispose]()
  })
  return {
    server: async (options) => keep(await fixture.server(options)),
    client: (options) => keep(fixture.client(options)),
    cut: () => fixture.cut(),
  }
}

/** A key of the right form; made here, not decoded. */
export const agentKey = (digit: string): AgentKey => digit.repeat(32) as AgentKey
export const AGENT = agentKey('A')

export const message = (fields: JsonObject, payload: Uint8Array = NO_BYTES): Envelope => ({ message: fields, payload })
export const DONE = message({ Status: 200 })

/** Signs in who gives this connection's nonce back, under the key that it names; hands the rest on. */
export const signingIn =
  (rest: Handler = async () => DONE): Handler =>
  async (envelope, peer, signal) => {
    const { Action: action, Nonce: nonce, Key: key } = envelope.message
    if (action !== 'SignIn') return rest(envelope, peer, signal)
    if (nonce !== peer.nonce || typeof key !== 'string') return message({ Status: 403, Reason: 'The signature is wrong.' })
    peer.agent = key as AgentKey // the tests' keys are of the right form
    return DONE
  }

export const signIn =
  (key: AgentKey = AGENT) =>
  (nonce: string): JsonObject => ({ Action: 'SignIn', Nonce: nonce, Key: key })

export const right = <A>(result: E.Either<TransportError, A>): A => {
  if (E.isLeft(result)) throw new Error(`expected an answer, got ${JSON.stringify(result.left)}`)
  return result.right
}

/** The tag of a left, which says why in words too; or `answered`. */
export const outcomeOf = (result: E.Either<TransportError, unknown>): string => {
  if (E.isRight(result)) return 'answered'
  return result.left.reason === '' ? 'a left without a reason' : result.left.tag
}

/** Waits for a condition: it holds when nothing in `check` throws. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 8000, interval: 2 })

/** Collects what a client is told, until the test is finished. */
export const notificationsOf = (client: ClientTransport): readonly Notification[] => {
  const heard: Notification[] = []
  onTestFinished(client.notifications((notification) => heard.push(notification)))
  return heard
}

export const connected = async (client: ClientTransport): Promise<readonly Notification[]> => {
  const heard = notificationsOf(client)
  await eventually(() => expect(heard.at(-1)).toEqual({ tag: 'Connected' }))
  return heard
}

/** A handler whose answers are given when the test says so, in the order that it likes. */
export const heldAnswers = (): {
  readonly handler: Handler
  readonly begun: Envelope[]
  readonly answer: (index: number, answer?: Envelope) => void
} => {
  const begun: Envelope[] = []
  const pending: PromiseWithResolvers<Envelope>[] = []
  const handler: Handler = (envelope) => {
    begun.push(envelope)
    const answer = Promise.withResolvers<Envelope>()
    pending.push(answer)
    return answer.promise
  }
  return { handler, begun, answer: (index, answer = DONE) => pending[index]?.resolve(answer) }
}
