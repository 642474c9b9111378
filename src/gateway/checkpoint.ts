import * as E from 'fp-ts/lib/Either.js'
import type { HeadOfStream } from '../domain/events.ts'
import { encodeMetadata } from '../protocol/event-codec.ts'
import { uuidV5 } from '../protocol/event-ids.ts'
import { checkpointText, encodeGatewayEvent } from '../protocol/gateway-event-codec.ts'
import { GATEWAY } from '../protocol/streams.ts'
import type { AppendFailure, Draft } from './append.ts'
import type { Core } from './core.ts'

/** Heads that one event tells of: some 130 bytes each. */
const MAX_HEADS = 4000

/** The gateway's signed word on where every stream stands that grew since the last one; nothing where none did. */
export const appendCheckpoint = async (core: Core): Promise<E.Either<AppendFailure, void>> => {
  for (;;) {
    const heads = core.state.unsignedHeads(MAX_HEADS).filter(({ stream }) => stream !== GATEWAY)
    if (heads.length === 0) return E.right(undefined)
    const draft = draftOf(core, heads)
    const written = await core.appender.append<never, undefined>(GATEWAY, async () => E.right({ drafts: [draft], result: undefined }))
    if (E.isLeft(written)) return written
  }
}

const draftOf = ({ signer, clock }: Core, heads: readonly HeadOfStream[]): Draft => {
  const signature = signer.sign(checkpointText(heads))
  return {
    id: uuidV5(`checkpoint/${signature}`),
    ...encodeGatewayEvent({ type: 'Checkpoint', heads, gatewayKey: signer.publicKey, signature }),
    metadata: encodeMetadata({ time: clock.wall(), proof: 'gateway' }),
  }
}

const HOUR_MS = 60 * 60 * 1000

/** Each hour until the signal aborts: a checkpoint, and uploads that nothing named are forgotten. */
export const runHourly = async (core: Core, signal: AbortSignal): Promise<void> => {
  for (;;) {
    await core.clock.sleep(HOUR_MS, signal)
    if (signal.aborted) return
    const appended = await appendCheckpoint(core)
    if (E.isLeft(appended)) core.logger.warn('no checkpoint could be appended', appended.left)
    core.uploads.expire(core.clock.wall())
  }
}
