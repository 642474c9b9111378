import * as E from 'fp-ts/lib/Either.js'
import type { Chunk } from '../domain/content.ts'
import type { AccountId, AgentKey } from '../domain/events.ts'
import { createLru } from '../lib/lru.ts'
import { encodeAnswer } from '../protocol/answer.ts'
import { decodeRequest } from '../protocol/request.ts'
import { NO_BYTES, type Envelope, type Handler, type Peer } from '../transport/port.ts'
import { createAttempts } from './attempts.ts'
import { runHourly } from './checkpoint.ts'
import type { SweptStore } from '../blobstore/port.ts'
import { createCore, type Core } from './core.ts'
import type { GatewayDeps, Notifier } from './deps.ts'
import { actionOf, dispatch } from './dispatch.ts'
import { reply, type Context, type Reply } from './handlers/context.ts'
import type { Witnessed } from './handlers/synced.ts'
import { createPlain } from './plain/plain.ts'
import { refused } from './refusals.ts'
import { createRefusedSignIns, runMinutely, type RefusedSignIns } from './refused-sign-ins.ts'
import type { RetentionPolicy } from './retention/policy.ts'
import type { Presence } from './retention/presence.ts'
import { runRetention, type RetentionOptions, type RetentionDone, type RetentionError, type RetentionParts } from './retention/run.ts'
import type { Tail } from './tail.ts'
import { askInStep } from './in-step.ts'
import { createUnderWay } from './under-way.ts'
import { createWriters } from './writer/writers.ts'

export interface Gateway {
  readonly handle: Handler
  /** Takes no new request and resolves when those begun are answered, and what it refused is in the log. */
  readonly drain: () => Promise<void>
  /** Whether it takes requests. */
  readonly ready: () => boolean
  /** Signs a Checkpoint each hour, and forgets old uploads, until the signal aborts. */
  readonly runHourly: (signal: AbortSignal) => Promise<void>
  /** Tells the log each minute what it refused, until the signal aborts. */
  readonly runMinutely: (signal: AbortSignal) => Promise<void>
  /** Whoever refuses sign-ins in its name says so here. */
  readonly refusedSignIns: RefusedSignIns
  /** Takes in what other gateways append, until the signal aborts; resolves with why where it can't go on. */
  readonly follow: Tail['follow']
  /** Frees contents that no kept version needs; one run at a time is the caller's to see to. */
  readonly retain: (
    parts: RetentionAsk,
    policy: RetentionPolicy,
    options: RetentionOptions,
  ) => Promise<E.Either<RetentionError, RetentionDone>>
  /** Where others append to the log too, its word on what it has seen. */
  readonly presence: Presence
  /** Whom to tell when a folder grows or an agent is revoked: each transport that serves. */
  readonly addNotifier: (notifier: Notifier) => void
  /** Another gateway took these chunks in from the account (`Notifier.uploaded`). */
  readonly uploadedElsewhere: (account: AccountId, chunks: readonly Chunk[]) => void
}

/** What a run of retention needs beside the gateway. */
export interface RetentionAsk extends Pick<RetentionParts, 'source' | 'mark'> {
  readonly blobs: SweptStore
  /** Gateways that will not come back: nothing waits for them. */
  readonly gone: readonly string[]
}

const MAX_WITNESSED = 100_000

export const createGateway = (deps: GatewayDeps): Gateway => {
  const notifiers: Notifier[] = []
  const core = createCore(deps, {
    notify: (keys: readonly AgentKey[], told) => notifiers.forEach((notifier) => notifier.notify(keys, told)),
    disconnect: (key, reason) => notifiers.forEach((notifier) => notifier.disconnect(key, reason)),
    uploaded: async (account, chunks) => {
      await Promise.all(notifiers.map(async (notifier) => notifier.uploaded?.(account, chunks)))
    },
  })
  const refusedSignIns = createRefusedSignIns(core)
  const attempts = createAttempts(deps.settings.limits.attempts, deps.clock)
  const context: Context = { core, attempts, refusedSignIns, writer: createWriters(core) }
  const witnessed: Witnessed = createLru(MAX_WITNESSED)
  const underWay = createUnderWay()
  const plain = createPlain(context)
  const answer = async (envelope: Envelope, peer: Peer): Promise<Reply | undefined> => {
    const request = decodeRequest(envelope.message, peer.plain)
    if (E.isLeft(request)) return reply(refused(400, 'format', `${request.left.field} ${request.left.reason}`))
    const ask = () => dispatch({ context, witnessed, plain }, request.right, envelope.payload, peer)
    if (deps.shared === undefined) return ask()
    return askInStep(core.tail, request.right, ask)
  }
  return {
    addNotifier: (notifier) => void notifiers.push(notifier),
    uploadedElsewhere: (account, chunks) => deps.uploads.add(account, chunks, deps.clock.wall()),
    ready: () => !underWay.isClosed(),
    runHourly: (signal) => runHourly(core, signal),
    runMinutely: (signal) => runMinutely(core, refusedSignIns, signal),
    refusedSignIns,
    drain: async () => {
      await underWay.close()
      await refusedSignIns.flush()
    },
    follow: core.tail.follow,
    presence: core.presence,
    retain: (ask, policy, options) => retain(core, ask, policy, options),
    handle: async (envelope, peer) => {
      const started = deps.clock.monotonic()
      const done = underWay.begin()
      const answered =
        done === undefined ? reply(refused(503, 'busy', 'the gateway is stopping')) : await guarded(deps, () => answer(envelope, peer))
      done?.()
      if (answered === undefined) return { message: {}, payload: NO_BYTES }
      deps.metrics.request(actionOf(envelope.message['Action']), answered.answer.status, (deps.clock.monotonic() - started) / 1000)
      return { message: encodeAnswer(answered.answer, deps.clock.wall() / 1000), payload: answered.payload ?? NO_BYTES }
    },
  }
}

const retain = (core: Core, { gone, blobs, ...parts }: RetentionAsk, policy: RetentionPolicy, options: RetentionOptions) => {
  const passed = async (stopped: () => boolean) => {
    if (core.shared === undefined) return E.right(undefined)
    for (const key of gone) {
      const told = await core.presence.gone(key)
      if (E.isLeft(told)) return told
    }
    return core.presence.allPassed(stopped)
  }
  return runRetention({ ...parts, core: { ...core, blobs }, run: core.random(8).toString('hex'), passed }, policy, options)
}

/** A throw is a bug: it is the operator's to read, and the client's to know that it is not its fault. */
const guarded = async ({ logger }: GatewayDeps, run: () => Promise<Reply | undefined>): Promise<Reply | undefined> => {
  try {
    return await run()
  } catch (error) {
    logger.error('a request failed', { error: error instanceof Error ? error.stack : String(error) })
    return reply(refused(500, 'fault', 'the gateway failed'))
  }
}
