import * as E from 'fp-ts/lib/Either.js'
import type { Chunk, Hash } from '../domain/content.ts'
import type { FolderId } from '../domain/events.ts'
import type { ReadError, RecordedEvent } from '../eventlog/port.ts'
import { createGatherer } from '../lib/gather.ts'
import type { DecodedEvent, LogDecoder, StateFold, Stopped } from '../projections/port.ts'
import { manifestNeeded } from '../protocol/log-event.ts'
import { PACKS } from '../protocol/streams.ts'
import type { GatewayDeps, Notifier } from './deps.ts'
import type { Manifests } from './manifests.ts'
import { notifyAll } from './notify.ts'

/** What other gateways append to the log that is shared with them. */
export interface Tail {
  /** Takes in all that is in the log at the time of the call; nothing where nobody else appends to it. */
  readonly catchUp: () => Promise<E.Either<ReadError | Stopped, void>>
  /** Takes in what comes, and tells the agents that are connected here, until the signal aborts. Resolves with why where it can't go on. */
  readonly follow: (signal: AbortSignal) => Promise<Stopped | undefined>
}

/** No other gateway: the state is in step by the appends themselves. */
export const NO_TAIL: Tail = { catchUp: async () => E.right(undefined), follow: async () => undefined }

/** Told when another gateway has retired objects. */
export type OnRetired = () => void

export interface TailDeps extends Pick<GatewayDeps, 'log' | 'followed'> {
  readonly state: StateFold
  readonly manifests: Manifests
  readonly notifier: Notifier
  readonly onRetired: OnRetired
}

const PAGE = 1024

export const createTail = (deps: TailDeps): Tail => {
  const { log, state, followed } = deps
  const readOn = async (): Promise<E.Either<ReadError | Stopped, void>> => {
    for (;;) {
      const page = await log.readAll(state.checkpoint(), PAGE)()
      if (E.isLeft(page)) return page
      if (page.right.length === 0) return E.right(undefined)
      await followed.room()
      const taken = await takeIn(deps, page.right)
      if (E.isLeft(taken)) return taken
    }
  }
  // Who asks while one runs may ask for what came after its last page: the next one is for them, all together.
  const gathered = createGatherer<undefined, E.Either<ReadError | Stopped, void>>(
    () => readOn().catch((error: unknown) => E.left(stopped(error))),
    Infinity,
    () => 1,
  )
  return {
    catchUp: () => gathered(undefined),
    follow: async (signal) => {
      try {
        for await (const batch of log.subscribe(state.checkpoint(), signal)) {
          await followed.room()
          const taken = await takeIn(deps, batch)
          if (E.isLeft(taken)) return taken.left
        }
        return undefined
      } catch (error) {
        return stopped(error)
      }
    },
  }
}

const stopped = (error: unknown): Stopped => ({ tag: 'Stopped', reason: error instanceof Error ? error.message : String(error) })

/** The contents' places first, then the manifests that lie there; and what the state knows, the following projections know at the same moment. */
const takeIn = async (deps: TailDeps, events: readonly RecordedEvent[]): Promise<E.Either<Stopped, void>> => {
  const { state, followed, manifests } = deps
  const decoded = events.map((event) => state.decoder.decode(event))
  for (const each of decoded) if (E.isLeft(each)) return each
  followed.note(
    events.filter(({ stream }) => stream === PACKS),
    () => undefined,
  )
  const opened = new Map<Hash, readonly Chunk[] | undefined>()
  for (const each of decoded) {
    const needed = E.isRight(each) ? manifestNeeded(each.right.event)?.hash : undefined
    if (needed !== undefined && !opened.has(needed)) opened.set(needed, (await manifests.load(needed))?.chunks)
  }
  const fresh = events.filter(({ stream, revision }) => revision > (state.head(stream)?.revision ?? -1))
  // Two readers of the log may be at it: the checkpoint only grows.
  const applied = isAhead(state, events) ? state.applyNext(events) : E.right(undefined)
  if (E.isLeft(applied)) return applied
  followed.note(
    fresh.filter(({ stream }) => stream !== PACKS),
    (hash) => opened.get(hash),
  )
  tell(deps, fresh)
  // When it is taken in, and not before: the word that this gateway gives then is on what its state has seen.
  if (events.some(({ type }) => type === 'PackRetiring')) deps.onRetired()
  return E.right(undefined)
}

const isAhead = (state: StateFold, events: readonly RecordedEvent[]): boolean => {
  const checkpoint = state.checkpoint()
  const last = events.at(-1)
  return last !== undefined && (checkpoint === 'start' || last.position.order > checkpoint.order)
}

/** Agents are connected here that others' appends are news for, or the end. */
const tell = (deps: TailDeps, fresh: readonly RecordedEvent[]): void => {
  const grown = new Map<FolderId, number>()
  for (const event of fresh) {
    const of = understood(deps.state.decoder, event)
    if (of?.of === 'folder') grown.set(of.folder, event.revision)
    if (of?.of === 'account' && of.event.type === 'AgentRevoked') deps.notifier.disconnect(of.event.agent, 'the agent has been revoked')
  }
  for (const [folder, position] of grown) notifyAll(deps, folder, position)
}

const understood = (decoder: LogDecoder, event: RecordedEvent): DecodedEvent['event'] | undefined => {
  const decoded = decoder.decode(event)
  return E.isRight(decoded) ? decoded.right.event : undefined
}
