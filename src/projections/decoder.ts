import * as E from 'fp-ts/lib/Either.js'
import { createLatest } from '../lib/latest.ts'
import { decodeLogEvent, eventErrorText } from '../protocol/log-event.ts'
import { createMetadataDecoder } from '../protocol/metadata-decoder.ts'
import type { DecodedEvent, LogDecoder } from './port.ts'

/** The latest events: several projections read each one. */
const REMEMBERED = 4096

const createDecode = (): LogDecoder['decode'] => {
  const decodeMetadata = createMetadataDecoder()
  return (recorded) => {
    const { stream, revision } = recorded
    const event = decodeLogEvent(stream, recorded)
    if (E.isLeft(event)) return E.left({ tag: 'Stopped', reason: eventErrorText(event.left, stream, revision) })
    const metadata = decodeMetadata(recorded.metadata)
    if (E.isLeft(metadata)) return E.left({ tag: 'Stopped', reason: eventErrorText(metadata.left, stream, revision) })
    return E.right({ event: event.right, metadata: metadata.right })
  }
}

/** For whoever reads each event once: no event is remembered, so none outlives its page. */
export const readOnceDecoder: LogDecoder = { know: () => undefined, decode: createDecode() }

/** Events are remembered by their chain, which names every byte of them: what was understood once holds. */
export const createDecoder = (): LogDecoder => {
  const known = createLatest<string, DecodedEvent>(REMEMBERED)
  const decode = createDecode()
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
