import * as E from 'fp-ts/lib/Either.js'
import type { EventError } from './event-error.ts'
import { decodeMetadata, type EventMetadata } from './event-metadata.ts'

const INDEX = '"index":'
const NUMBER = /^(0|[1-9]\d{0,9})$/

/** Metadata as it was read, and what stands before and after its index. */
interface Read {
  readonly before: string
  readonly after: string
  readonly metadata: EventMetadata
}

/** Only where the index is a field of the metadata itself, and stands there once: another number in its place is then another index, and nothing else. */
const around = (text: string, metadata: EventMetadata): Read | undefined => {
  const at = text.indexOf(INDEX) + INDEX.length
  const before = text.slice(0, at)
  const number = String(metadata.index)
  const after = text.slice(at + number.length)
  const isItsOwn = at >= INDEX.length && before.lastIndexOf('{') === 0 && text.startsWith(number, at) && /^[,}]/.test(after)
  return isItsOwn && !after.includes(INDEX) ? { before, after, metadata } : undefined
}

/** The events of one message have the same metadata but for the index, so all but the first two are known before they are read. */
export const createMetadataDecoder = (): ((text: string) => E.Either<EventError, EventMetadata>) => {
  let last: Read | undefined
  const again = (text: string): EventMetadata | undefined => {
    if (last === undefined || !text.startsWith(last.before) || !text.endsWith(last.after)) return undefined
    const number = text.slice(last.before.length, text.length - last.after.length)
    return NUMBER.test(number) ? { ...last.metadata, index: Number(number) } : undefined
  }
  return (text) => {
    const known = again(text)
    if (known !== undefined) return E.right(known)
    const decoded = decodeMetadata(text)
    if (E.isRight(decoded)) last = around(text, decoded.right)
    return decoded
  }
}
