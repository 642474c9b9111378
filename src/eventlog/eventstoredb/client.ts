import { readFileSync } from 'node:fs'
import {
  BACKWARDS,
  END,
  EventStoreDBClient,
  FORWARDS,
  NO_STREAM,
  START,
  streamNameFilter,
  type ReadStreamOptions,
} from '@eventstore/db-client'
import type { ExpectedRevision } from '../port.ts'
import type { EventStoreAddress } from '../../lib/eventstore-address.ts'
import { ReadDeadline } from './errors.ts'
import type { VendorEvent, VendorRecord } from './events.ts'
import type { VendorPosition } from './positions.ts'

/** The part of the vendor's client that the log is made of. Its promises reject with the vendor's errors (errors.ts reads them). */
export interface Client {
  append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly VendorEvent[],
  ): Promise<{ revision: number; position: VendorPosition | undefined }>
  /** At most `max` records of a stream from a revision on, or its last one. Rejects where there is no such stream. */
  readStream(stream: string, from: number | 'last', max: number): Promise<readonly VendorRecord[]>
  /** At most `max` records of the whole server from a place on, that one included. */
  readAll(from: VendorPosition | 'start', max: number): Promise<readonly VendorRecord[]>
  /** Everything after a place in streams whose names start with one of the prefixes, until `close`. */
  subscribe(after: VendorPosition | 'start', prefixes: readonly string[], sink: Sink): LiveSubscription
  close(): Promise<void>
}

/** Where a subscription puts what it gets. */
export interface Sink {
  /** The server has begun to give. */
  readonly opened: () => void
  readonly event: (record: VendorRecord) => void
  /** Nothing of ours lies before this place that was not given yet. */
  readonly checkpoint: (position: VendorPosition) => void
  /** It ended; the vendor's never resumes by itself. Called once. */
  readonly lost: (error: unknown) => void
}

export interface LiveSubscription {
  readonly pause: () => void
  readonly resume: () => void
  readonly close: () => void
}

/** Records that the server may look at between two checkpoints, in thousands of bytes of nothing for us. */
const CHECKPOINT_WINDOW = 256

const NOBODY = { username: 'nobody', password: '' }

/** Throws where the authority's certificate cannot be read. */
export const createClient = (address: EventStoreAddress, deadline: number): Client => {
  const client = connect(address)
  // With credentials of its own a call goes by plain Append: the batch path shares one stream and a map that is global to the
  // process, and can end it. A server without TLS takes no credentials and is sent none.
  const asked = { credentials: address.user ?? NOBODY, requiresLeader: true }
  return {
    append: async (stream, expected, events) => {
      const expectedRevision = expected === 'none' ? NO_STREAM : BigInt(expected)
      const { nextExpectedRevision, position } = await client.appendToStream(stream, [...events], { ...asked, expectedRevision, deadline })
      return { revision: Number(nextExpectedRevision), position }
    },
    readStream: (stream, from, maxCount) => {
      const place: ReadStreamOptions =
        from === 'last' ? { direction: BACKWARDS, fromRevision: END } : { direction: FORWARDS, fromRevision: BigInt(from) }
      return collect(client.readStream(stream, { ...asked, ...place, maxCount }), deadline)
    },
    readAll: (from, maxCount) => collect(client.readAll({ ...asked, fromPosition: from === 'start' ? START : from, maxCount }), deadline),
    subscribe: (after, prefixes, sink) => subscribe(client, { ...asked, after, prefixes }, sink),
    close: () => client.dispose(),
  }
}

const connect = (address: EventStoreAddress): EventStoreDBClient => {
  const { servers, tls, caFile, user, connectionName, keepAliveInterval, keepAliveTimeout } = address
  const security = tls
    ? { insecure: false, ...(caFile === undefined ? {} : { rootCertificate: readFileSync(caFile) }) }
    : { insecure: true }
  const settings = {
    ...(connectionName === undefined ? {} : { connectionName }),
    ...(keepAliveInterval === undefined ? {} : { keepAliveInterval }),
    ...(keepAliveTimeout === undefined ? {} : { keepAliveTimeout }),
  }
  switch (servers.tag) {
    case 'one':
      return new EventStoreDBClient({ ...settings, endpoint: servers.endpoint }, security, user)
    case 'several':
      return new EventStoreDBClient({ ...settings, endpoints: [...servers.endpoints] }, security, user)
    case 'discover':
      return new EventStoreDBClient({ ...settings, discover: servers.endpoint }, security, user)
  }
}

/** What the vendor's reads are, as far as they are used. */
interface Reading {
  on(event: 'data', listener: (resolved: { readonly event?: VendorRecord }) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'end', listener: () => void): unknown
  cancel(): Promise<void>
}

/** The client gives its reads no deadline, and one that is cancelled neither ends nor fails. */
const collect = (reading: Reading, deadline: number): Promise<readonly VendorRecord[]> =>
  new Promise((resolve, reject) => {
    const found: VendorRecord[] = []
    const timer = setTimeout(() => {
      reject(new ReadDeadline(deadline))
      reading.cancel().catch(() => undefined)
    }, deadline)
    reading.on('data', ({ event }) => event !== undefined && found.push(event))
    reading.on('end', () => {
      clearTimeout(timer)
      resolve(found)
    })
    reading.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
  })

interface Subscribing {
  readonly after: VendorPosition | 'start'
  readonly prefixes: readonly string[]
  readonly credentials: { readonly username: string; readonly password: string }
  readonly requiresLeader: boolean
}

const subscribe = (client: EventStoreDBClient, { after, prefixes, ...asked }: Subscribing, sink: Sink): LiveSubscription => {
  const filter = streamNameFilter({
    prefixes: [...prefixes],
    maxSearchWindow: CHECKPOINT_WINDOW,
    // One that overtakes events still in the stream's own buffer would skip them after a loss.
    checkpointReached: async (_, position) => {
      if (stream.readableLength === 0) sink.checkpoint(position)
    },
  })
  const stream = client.subscribeToAll({ ...asked, fromPosition: after === 'start' ? START : after, filter })
  let open = true
  const end = (error: unknown): void => {
    if (!open) return
    open = false
    stream.off('data', take)
    stream.unsubscribe().catch(() => undefined)
    sink.lost(error)
  }
  const take = ({ event }: { readonly event?: VendorRecord }): void => {
    if (event !== undefined) sink.event(event)
  }
  stream.on('confirmation', () => open && sink.opened())
  stream.on('data', take)
  stream.on('error', end)
  stream.on('end', () => end(new Error('the subscription ended')))
  return {
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    close: () => {
      open = false
      stream.off('data', take)
      stream.unsubscribe().catch(() => undefined)
    },
  }
}
