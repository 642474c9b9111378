import type { LogPosition, NewEvent, RecordedEvent } from '../port.ts'
import { decodePosition, type VendorPosition } from './positions.ts'

/** An event as the vendor's client takes it: bytes, since it would write JSON anew. */
export interface VendorEvent {
  readonly id: string
  readonly type: string
  readonly contentType: 'application/octet-stream'
  readonly data: Uint8Array
  readonly metadata: Uint8Array
}

/** An event as the vendor's client gives it: `metadata` parsed where it is JSON. */
export interface VendorRecord {
  readonly streamId: string
  readonly id: string
  readonly type: string
  readonly revision: bigint
  readonly data: unknown
  readonly metadata?: unknown
  readonly position?: VendorPosition | undefined
}

const utf8 = new TextEncoder()
const text = new TextDecoder()

/**
 * The server keeps bytes and one metadata. So `data` goes as it is, and the metadata holds `chain` and the event's own metadata, as
 * a text: what is chained must come back byte for byte.
 */
export const encodeEvent = ({ id, type, data, metadata, chain }: NewEvent): VendorEvent => ({
  id,
  type,
  contentType: 'application/octet-stream',
  data: utf8.encode(data),
  metadata: utf8.encode(JSON.stringify({ chain, metadata })),
})

const envelopeOf = (value: unknown): { readonly chain: string; readonly metadata: string } | undefined => {
  if (typeof value !== 'object' || value === null || !('chain' in value) || !('metadata' in value)) return undefined
  const { chain, metadata } = value
  return typeof chain === 'string' && typeof metadata === 'string' ? { chain, metadata } : undefined
}

/** Somebody else's event in one of our streams: nothing after it can be trusted. */
export class ForeignEvent extends Error {
  constructor({ streamId, revision }: VendorRecord) {
    super(`the event ${revision} of ${streamId} was not written by EventSync`)
  }
}

/** Throws ForeignEvent where the record is none of ours. `stream`: its name without the log's prefix. */
export const decodeEvent = (record: VendorRecord, stream: string): RecordedEvent => {
  const envelope = envelopeOf(record.metadata)
  if (envelope === undefined || !(record.data instanceof Uint8Array) || record.position === undefined) throw new ForeignEvent(record)
  const position: LogPosition = decodePosition(record.position)
  return {
    ...envelope,
    id: record.id,
    type: record.type,
    data: text.decode(record.data),
    stream,
    revision: Number(record.revision),
    position,
  }
}
