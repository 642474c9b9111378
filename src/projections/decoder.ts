import { either as E } from 'fp-ts'
import { createLatest } from '../lib/latest.ts'
import { decodeMetadata } from '../protocol/event-codec.ts'
import { decodeLogEvent, eventErrorText } from '../protocol/log-event.ts'
import type { DecodedEvent, LogDecoder } from './port.ts'

/** The latest events: several projections read each one. */
const REMEMBERED = 4096

/** Events are remembered by their chain, which names every byte of them: what was understood once holds. */
export const createDecoder = (): LogDecoder => {
  const known = createLatest<string, DecodedEvent>(REMEMBERED)
  return {
    know: known.set,
    decode: (recorded) => {
      const before = known.get(recorded.chain)
      if (before !== undefined) return E.right(before)
      const { stream, revision } = recorded
      const event = decodeLogEvent(stream, recorded)
      if (E.isLeft(event)) return E.left({ tag: 'Stopped', reason: eventErrorText(event.left, stream, revision) })
      const metadata = decodeMetadata(recorded.metadata)
      if (E.isLeft(metadata)) return E.left({ tag: 'Stopped', reason: eventErrorText(metadata.left, stream, revision) })
      const decoded = { event: event.right, metadata: metadata.right }
      known.set(recorded.chain, decoded)
      return E.right(decoded)
    },
  }
}
