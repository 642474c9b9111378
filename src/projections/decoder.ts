import * as E from 'fp-ts/lib/Either.js'
import type { RecordedEvent } from '../eventlog/port.ts'
import { createLatest } from '../lib/latest.ts'
import { decodeMetadata } from '../protocol/event-codec.ts'
import { decodeLogEvent, eventErrorText } from '../protocol/log-event.ts'
import type { DecodedEvent, LogDecoder, Stopped } from './port.ts'

/** The latest events: several projections read each one. */
const REMEMBERED = 4096

const decode = (recorded: Omit<RecordedEvent, 'position'>): E.Either<Stopped, DecodedEvent> => {
  const { stream, revision } = recorded
  const event = decodeLogEvent(stream, recorded)
  if (E.isLeft(event)) return E.left({ tag: 'Stopped', reason: eventErrorText(event.left, stream, revision) })
  const metadata = decodeMetadata(recorded.metadata)
  if (E.isLeft(metadata)) return E.left({ tag: 'Stopped', reason: eventErrorText(metadata.left, stream, revision) })
  return E.right({ event: event.right, metadata: metadata.right })
}

/** For whoever reads each event once: nothing is remembered, so nothing outlives its page. */
export const readOnceDecoder: LogDecoder = { know: () => undefined, decode }

/** Events are remembered by their chain, which names every byte of them: what was understood once holds. */
export const createDecoder = (): LogDecoder => {
  const known = createLatest<string, DecodedEvent>(REMEMBERED)
  return {
    know: known.set,
    decode: (recorded) => {
      const before = known.get(recorded.chain)
      if (before !== undefined) return E.right(before)
      const decoded = decode(recorded)
      if (E.isRight(decoded)) known.set(recorded.chain, decoded.right)
      return decoded
    },
  }
}
