import * as E from 'fp-ts/lib/Either.js'
import type { PresenceEvent } from '../../domain/events.ts'
import type { ReadError } from '../../eventlog/port.ts'
import { createGatherer } from '../../lib/gather.ts'
import { encodeMetadata } from '../../protocol/event-codec.ts'
import { uuidV5 } from '../../protocol/event-ids.ts'
import { decodeGatewayEvent, encodeGatewayEvent } from '../../protocol/gateway-event-codec.ts'
import { GATEWAY, PACKS } from '../../protocol/streams.ts'
import type { AppendFailure } from '../append.ts'
import type { Core } from '../core.ts'

type Told = Promise<E.Either<AppendFailure, void>>

/**
 * This gateway's word, in a log that others append to as well, on what it has seen of retention: an object goes when each gateway that runs has passed its
 * PackRetiring. What a gateway decided before is in the log by then, and what it decides since counts the chunks as missing.
 */
export interface Presence {
  /** Before the log is caught up with: whatever is retired from then on waits for this gateway. */
  readonly started: () => Told
  /** Says that it has passed what it has seen, when all that is under way has ended. */
  readonly pass: () => Told
  /** {@link pass}, now or, where it is at it, once more afterwards. */
  readonly passSoon: () => void
  readonly stopped: () => Told
  /** Another one that will not come back: nothing waits for it. */
  readonly gone: (gateway: string) => Told
  /** Resolves when every gateway that runs has passed what is retired by now. */
  readonly allPassed: (stopped: () => boolean) => Promise<E.Either<ReadError | AppendFailure | Behind, void>>
}

export interface Behind {
  readonly tag: 'Waiting'
  readonly reason: string
}

type PresenceCore = Pick<Core, 'appender' | 'clock' | 'log' | 'state'>

const PAGE = 512
const POLL_MS = 200
const PATIENCE_MS = 60_000

export const createPresence = (core: PresenceCore, gateway: string, newBoot: () => string): Presence => {
  const { appender, clock, state } = core
  let boot: string | undefined
  const own = () => ({ gateway, boot: (boot ??= newBoot()) })
  const seen = (): number => state.head(PACKS)?.revision ?? -1
  const tell = async (event: PresenceEvent, name: string): Told => {
    const metadata = encodeMetadata({ time: clock.wall(), proof: 'gateway' })
    const draft = { id: uuidV5(`${event.type}/${event.gateway}/${event.boot}/${name}`), ...encodeGatewayEvent(event), metadata }
    const told = await appender.append<never, undefined>(GATEWAY, async () => E.right({ drafts: [draft], result: undefined }))
    return E.map(() => undefined)(told)
  }
  const pass = async (): Told => {
    const packs = seen()
    await appender.settled()
    return tell({ type: 'GatewayPassed', ...own(), packs }, String(packs))
  }
  const passing = createGatherer<undefined, E.Either<AppendFailure, void>>(pass, Infinity, () => 1)
  return {
    passSoon: () => void passing(undefined),
    started: () => tell({ type: 'GatewayStarted', ...own() }, ''),
    stopped: () => tell({ type: 'GatewayStopped', ...own() }, ''),
    gone: (other) => tell({ type: 'GatewayStopped', ...own(), gateway: other }, 'gone'),
    pass,
    allPassed: async (stopped) => {
      const target = await lastRetiring(core)
      if (E.isLeft(target)) return target
      const passed = await pass()
      return E.isLeft(passed) ? passed : waitForAll(core, target.right, stopped)
    },
  }
}

/** The last event that retires anything: gateways give their word after each of those, and not after what is stored later, which never ends. */
const lastRetiring = async ({ log }: PresenceCore): Promise<E.Either<ReadError, number>> => {
  let last = -1
  for (let next = 0; ;) {
    const page = await log.read(PACKS, next, PAGE)()
    if (E.isLeft(page)) return page
    if (page.right.length === 0) return E.right(last)
    for (const { type, revision } of page.right) if (type === 'PackRetiring') last = revision
    next += page.right.length
  }
}

interface Running {
  readonly boot: string
  readonly packs: number
}

/** The gateways that run, by the stream alone: a start replaces an earlier one of the same gateway. */
const fold = (running: Map<string, Running>, event: PresenceEvent): void => {
  const { gateway, boot } = event
  const known = running.get(gateway)
  if (event.type === 'GatewayStarted') running.set(gateway, { boot, packs: -1 })
  if (event.type === 'GatewayStopped') running.delete(gateway)
  if (event.type === 'GatewayPassed' && known?.boot === boot) running.set(gateway, { boot, packs: Math.max(known.packs, event.packs) })
}

const waitForAll = async (
  { log, clock }: PresenceCore,
  target: number,
  stopped: () => boolean,
): Promise<E.Either<ReadError | Behind, void>> => {
  const running = new Map<string, Running>()
  const deadline = clock.monotonic() + PATIENCE_MS
  for (let next = 0; ;) {
    const page = await log.read(GATEWAY, next, PAGE)()
    if (E.isLeft(page)) return page
    next += page.right.length
    for (const recorded of page.right) {
      const decoded = decodeGatewayEvent(recorded)
      if (E.isRight(decoded) && 'boot' in decoded.right) fold(running, decoded.right)
    }
    if (page.right.length > 0) continue
    const behind = [...running].filter(([, { packs }]) => packs < target)
    if (behind.length === 0) return E.right(undefined)
    if (stopped() || clock.monotonic() > deadline) return E.left(waiting(behind.map(([gateway]) => gateway)))
    await clock.sleep(POLL_MS)
  }
}

const waiting = (keys: readonly string[]): Behind => ({
  tag: 'Waiting',
  reason: `nothing was removed yet, since other gateways have not passed what was retired (${keys.join(', ')}): run it again when they do, or with --gone ID for one that will not come back`,
})
