import type * as TE from 'fp-ts/lib/TaskEither.js'
import * as E from 'fp-ts/lib/Either.js'
import { refusal } from '../checks.ts'
import type { Appended, AppendError, EventLog, ExpectedRevision, LogPosition, NewEvent, ReadError, RecordedEvent } from '../port.ts'
import type { EventStoreAddress } from '../../lib/eventstore-address.ts'
import { createClient, type Client } from './client.ts'
import { appendError, isNoRecord, readError } from './errors.ts'
import { decodeEvent, encodeEvent, type VendorRecord } from './events.ts'
import { namesOf, type Names } from './names.ts'
import { decodePosition, encodePosition, type VendorPosition } from './positions.ts'
import { follow, type LogHealth } from './subscription.ts'

export interface EventStoreLogOptions {
  readonly address: EventStoreAddress
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  /** Told by subscriptions, again and again while they last. */
  readonly health?: LogHealth
  /** Milliseconds that one call may take. */
  readonly deadline?: number
}

const DEADLINE_MS = 10_000
const CLOSED = { tag: 'Unavailable', reason: 'the log is closed' } as const
const IGNORED: LogHealth = { lost: () => undefined, back: () => undefined }

interface Opened {
  readonly client: Client
  readonly names: Names
  readonly isClosed: () => boolean
}

/**
 * The event log on an EventStoreDB or KurrentDB server, for any number of gateways. A handle connects with its first call; it is lost
 * and found again by itself. Throws where the certificate that the address names can't be read.
 */
export const openEventStoreLog = ({ address, sleep, health = IGNORED, deadline = DEADLINE_MS }: EventStoreLogOptions): EventLog => {
  const closing = new AbortController()
  const opened: Opened = {
    client: createClient(address, deadline),
    names: namesOf(address.streamPrefix),
    isClosed: () => closing.signal.aborted,
  }
  const { client, names } = opened
  return {
    append: append(opened),
    read: (stream, from, max) => reading(opened, () => readStream(opened, stream, Math.max(0, from), max)),
    last: (stream) => reading(opened, async () => (await readPage(opened, stream, 'last', 1))[0]),
    readAll: (after, max) => reading(opened, () => readAll(opened, after, max)),
    at: (position) => reading(opened, () => readAt(opened, position)),
    subscribe: (after, signal) =>
      follow(
        { client, prefixes: names.prefixes, decode: (record) => decode(names, record), sleep, health },
        after,
        AbortSignal.any([signal, closing.signal]),
      ),
    [Symbol.asyncDispose]: async () => {
      closing.abort()
      await client.close()
    },
  }
}

/** The server's own streams and events start with "$"; its links are not followed. */
const decode = (names: Names, record: VendorRecord): RecordedEvent | undefined => {
  const stream = record.type.startsWith('$') ? undefined : names.fromServer(record.streamId)
  return stream === undefined ? undefined : decodeEvent(record, stream)
}

const append =
  (opened: Opened): EventLog['append'] =>
  (stream, expected, events) =>
  async () => {
    const { client, names, isClosed } = opened
    if (isClosed()) return E.left(CLOSED)
    const name = names.toServer(stream)
    const reason =
      refusal(stream, expected, events) ?? (names.fromServer(name) === undefined ? `"${stream}" is no stream of this log` : undefined)
    if (reason !== undefined) return E.left({ tag: 'Refused', reason })
    const begun = expected === 'none' ? await beginnable(opened, name) : undefined
    if (begun !== undefined) return E.left(begun)
    try {
      const { revision, position } = await client.append(name, expected, events.map(encodeEvent))
      return await placed(opened, { name, expected, events, revision, position })
    } catch (error) {
      return E.left(isClosed() ? CLOSED : appendError(error))
    }
  }

/** A stream that was deleted on the server begins again where it ended: its revisions would have a gap. */
const beginnable = async ({ client }: Opened, name: string): Promise<AppendError | undefined> => {
  try {
    await client.readStream(`$$${name}`, 'last', 1)
  } catch (error) {
    const failure = readError(error)
    if (failure === 'absent') return undefined
    const refused = appendError(error)
    return refused.tag === 'Refused' ? refused : failure
  }
  return {
    tag: 'Refused',
    reason: `the stream ${name} was deleted or limited on the server: restore a backup, or use another streamPrefix`,
  }
}

interface Placed {
  readonly name: string
  readonly expected: ExpectedRevision
  readonly events: readonly NewEvent[]
  readonly revision: number
  readonly position: VendorPosition | undefined
}

const placed = async (
  { client }: Opened,
  { name, expected, events, revision, position }: Placed,
): Promise<E.Either<AppendError, Appended>> => {
  const last = (expected === 'none' ? -1 : expected) + events.length
  if (position !== undefined && revision === last) return E.right({ revision, position: decodePosition(position) })
  const [record] = await client.readStream(name, last, 1)
  if (record?.position === undefined)
    return E.left({ tag: 'OutcomeUnknown', reason: `the server does not show what was appended to ${name}` })
  return E.right({ revision: last, position: decodePosition(record.position) })
}

const reading =
  <A>({ isClosed }: Opened, read: () => Promise<A>): TE.TaskEither<ReadError, A> =>
  async () => {
    if (isClosed()) return E.left(CLOSED)
    try {
      return E.right(await read())
    } catch (error) {
      const failure = readError(error)
      if (isClosed()) return E.left(CLOSED)
      return E.left(failure === 'absent' ? { tag: 'Unavailable', reason: 'what was read is gone' } : failure)
    }
  }

const readPage = async (
  { client, names }: Opened,
  stream: string,
  from: number | 'last',
  max: number,
): Promise<readonly RecordedEvent[]> => {
  try {
    const records = await client.readStream(names.toServer(stream), from, max)
    return records.map((record) => decodeEvent(record, stream))
  } catch (error) {
    if (readError(error) === 'absent') return []
    throw error
  }
}

/** A stream whose beginning was cut off on the server (`$maxCount`, `$tb`, a deletion) is no log any more. */
const readStream = async (opened: Opened, stream: string, from: number, max: number): Promise<readonly RecordedEvent[]> => {
  if (max <= 0) return []
  const events = await readPage(opened, stream, from, max)
  const first = events[0]
  if (first !== undefined && first.revision !== from)
    throw new Error(`events ${from} to ${first.revision - 1} of ${stream} are gone from the server: restore a backup`)
  return events
}

/** The server can't leave others' events out of a read: pages go on until there are enough of ours, or no more. */
const readAll = async ({ client, names }: Opened, after: LogPosition | 'start', max: number): Promise<readonly RecordedEvent[]> => {
  const found: RecordedEvent[] = []
  let from: VendorPosition | 'start' = after === 'start' ? 'start' : encodePosition(after)
  for (;;) {
    if (found.length >= max) return found.slice(0, Math.max(0, max))
    // The first record is the one at `from`, which was given already.
    const asked = max - found.length + 1
    const records = await client.readAll(from, asked)
    for (const record of records) {
      const event = isAfter(record, from) ? decode(names, record) : undefined
      if (event !== undefined) found.push(event)
    }
    const last = records.at(-1)?.position
    if (records.length < asked || last === undefined) return found.slice(0, Math.max(0, max))
    from = last
  }
}

const isAfter = ({ position }: VendorRecord, from: VendorPosition | 'start'): boolean =>
  position !== undefined && (from === 'start' || position.commit > from.commit)

const readAt = async ({ client, names }: Opened, position: LogPosition): Promise<RecordedEvent | undefined> => {
  const place = encodePosition(position)
  try {
    const [record] = await client.readAll(place, 1)
    return record?.position?.commit === place.commit ? decode(names, record) : undefined
  } catch (error) {
    if (isNoRecord(error)) return undefined
    throw error
  }
}
