import * as E from 'fp-ts/lib/Either.js'
import type { Chunk, Hash } from '../domain/content.ts'
import type { AccountId, FolderId } from '../domain/events.ts'
import type { RecordedEvent } from '../eventlog/port.ts'
import { createLru, type Lru } from '../lib/lru.ts'
import { manifestNeeded } from '../protocol/log-event.ts'
import type { LogDecoder, Stopped } from '../projections/port.ts'
import { createAppender, type Appender } from './append.ts'
import { createChunks, type Chunks } from './chunks.ts'
import type { GatewayDeps, Notifier } from './deps.ts'
import { createManifests, type Manifests } from './manifests.ts'
import { createPresent, type Present } from './present.ts'
import { createPresence, type Presence } from './retention/presence.ts'
import { createTail, NO_TAIL, type Tail } from './tail.ts'
import type { Settled } from './writer/once.ts'

/** What the handlers share. */
export interface Core extends GatewayDeps {
  readonly appender: Appender
  readonly chunks: Chunks
  readonly manifests: Manifests
  readonly present: Present
  readonly settled: Lru<string, Settled>
  readonly notifier: Notifier
  readonly tail: Tail
  readonly presence: Presence
  /** From now on an account may name these chunks, at whichever gateway. */
  readonly uploaded: (account: AccountId, chunks: readonly Chunk[]) => Promise<void>
}

const MAX_SETTLED = 10_000

export const createCore = (deps: GatewayDeps, notifier: Notifier): Core => {
  const { log, clock, state, shared, followed, uploads, blobs, metrics } = deps
  const learn = async (stream: string, events: readonly RecordedEvent[]): Promise<E.Either<Stopped, void>> => {
    // A log that folds inside its append has done so already.
    const behind = (state.head(stream)?.revision ?? -1) < (events.at(-1)?.revision ?? -1)
    const applied = behind ? state.apply(stream, events) : E.right(undefined)
    if (E.isLeft(applied)) return applied
    const opened = new Map<Hash, readonly Chunk[] | undefined>()
    for (const event of events) {
      const needed = manifestOf(state.decoder, event)
      if (needed !== undefined) opened.set(needed, (await manifests.load(needed))?.chunks)
    }
    followed.note(events, (hash) => opened.get(hash))
    return E.right(undefined)
  }
  const appender = createAppender({ log, clock, head: state.head, know: state.decoder.know, learn })
  const chunks = createChunks({ blobs, appender, followed, clock, metrics })
  const manifests = createManifests(chunks)
  const presence = createPresence({ appender, clock, log, state }, deps.instance, () => deps.random(8).toString('hex'))
  return {
    ...deps,
    appender,
    chunks,
    manifests,
    present: createPresent({ state, followed, uploads, chunks }),
    settled: createLru(MAX_SETTLED),
    notifier,
    uploaded: async (account, added) => {
      uploads.add(account, added, clock.wall())
      await notifier.uploaded?.(account, added)
    },
    presence,
    tail: shared === undefined ? NO_TAIL : createTail({ log, followed, state: shared, manifests, notifier, onRetired: presence.passSoon }),
  }
}

const manifestOf = (decoder: LogDecoder, event: RecordedEvent): Hash | undefined => {
  const decoded = decoder.decode(event)
  return E.isRight(decoded) ? manifestNeeded(decoded.right.event)?.hash : undefined
}

/** Whether an account may read and write a folder: until folders are shared, its owner may. */
export const mayUse = ({ state }: Pick<GatewayDeps, 'state'>, account: string, folder: FolderId): boolean =>
  state.directory.folder(folder)?.account === account
