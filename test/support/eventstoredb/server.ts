import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  Server,
  ServerCredentials,
  type Metadata,
  type sendUnaryData,
  type ServerReadableStream,
  type ServerWritableStream,
  type ServiceError,
} from '@grpc/grpc-js'
import { StreamsService } from './generated.ts'
import {
  FAILURES,
  readAppend,
  readRead,
  writeAppended,
  writeCaughtUp,
  writeCheckpoint,
  writeConfirmation,
  writeEvent,
  writeNotFound,
  type AppendRequest,
  type AppendResponse,
  type Read,
  type ReadRequest,
  type ReadResponse,
} from './messages.ts'
import { Storage, type Stored } from './storage.ts'

/** What is to become of the next appends, one each. */
export type Fate =
  | 'ok'
  /** Written, and never answered: the client's deadline passes. */
  | 'silent after writing'
  | 'silent before writing'
  /** The stream is reset: outcome unknown. */
  | 'reset after writing'
  | 'reset before writing'
  | 'not ready'
  | 'not ready without a code'

export interface StandInOptions {
  readonly storage?: Storage
  readonly port?: number
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Asked of every call where it is given; a server without TLS asks for none. */
  readonly user?: { readonly username: string; readonly password: string }
  readonly maxAppendSize?: number
}

/**
 * Stands in for an EventStoreDB server behind the real client's wire protocol, as docs/eventstoredb.md says of it. What it can't show is listed there.
 */
export class StandIn {
  readonly storage: Storage
  readonly port: number
  /** Of the next appends, in order; all others are 'ok'. */
  readonly fates: Fate[] = []
  /** Reads that are to be answered with silence. */
  silentReads = 0
  /** A live subscription with more than so many events waiting is dropped, as 23.10 does it. */
  liveBuffer = Infinity
  /** Calls that were made, by what they asked for. */
  readonly counts = { appends: 0, reads: 0, subscriptions: 0, checkpoints: 0, dropped: 0 }
  /** How many records the latest subscription had behind it at its start. */
  resumedAt = 0
  readonly #server: Server
  readonly #live = new Set<Drop>()

  private constructor(server: Server, port: number, storage: Storage) {
    this.#server = server
    this.port = port
    this.storage = storage
  }

  static async start(options: StandInOptions = {}): Promise<StandIn> {
    const server = new Server({ 'grpc.max_receive_message_length': 20 * 1024 * 1024 })
    const { tls } = options
    const credentials =
      tls === undefined
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) }])
    const port = await bind(server, `127.0.0.1:${options.port ?? 0}`, credentials)
    const standIn = new StandIn(server, port, options.storage ?? new Storage())
    const allowed = checker(options)
    server.addService(StreamsService, {
      append: (call: ServerReadableStream<AppendRequest, AppendResponse>, answer: sendUnaryData<AppendResponse>) =>
        void standIn.#append(call, answer, allowed(call.metadata), options.maxAppendSize ?? 1024 * 1024),
      read: (call: ServerWritableStream<ReadRequest, ReadResponse>) => void standIn.#read(call, allowed(call.metadata)),
    })
    return standIn
  }

  /** Drops all subscriptions as a server that goes down does: with an error, and never an end. */
  dropSubscriptions(): void {
    for (const drop of this.#live) drop(FAILURES.reset())
  }

  /** Ends every connection at once; the storage stays for another one at the same port. */
  async stop(): Promise<void> {
    this.#server.forceShutdown()
    for (const drop of this.#live) drop(FAILURES.reset())
    await sleep(0)
  }

  async #append(
    call: ServerReadableStream<AppendRequest, AppendResponse>,
    answer: sendUnaryData<AppendResponse>,
    denied: ServiceError | undefined,
    maxBytes: number,
  ): Promise<void> {
    const requests = await requestsOf(call)
    if (requests === undefined) return
    this.counts.appends += 1
    const append = readAppend(requests)
    const fate = this.fates.shift() ?? 'ok'
    if (denied !== undefined) return answer(denied)
    if (fate === 'not ready') return answer(FAILURES.notReady())
    if (fate === 'not ready without a code') return answer(FAILURES.notReadyYet())
    const size = append.events.reduce((sum, { data, metadata, type }) => sum + data.length + metadata.length + 2 * type.length, 0)
    if (size > maxBytes) return answer(FAILURES.tooLarge(maxBytes))
    if (fate === 'silent before writing') return
    if (fate === 'reset before writing') return answer(FAILURES.reset())
    const appended = this.storage.append(append.stream, append.expected, append.events)
    if (fate === 'silent after writing') return
    if (fate === 'reset after writing') return answer(FAILURES.reset())
    return appended.tag === 'deleted' ? answer(FAILURES.deleted(append.stream)) : answer(null, writeAppended(appended, append.expected))
  }

  async #read(call: ServerWritableStream<ReadRequest, ReadResponse>, denied: ServiceError | undefined): Promise<void> {
    const read = readRead(call.request)
    if (denied !== undefined) return void call.emit('error', denied)
    if (read.max === undefined) return this.#subscribe(call, read)
    this.counts.reads += 1
    if (this.silentReads > 0) {
      this.silentReads -= 1
      return
    }
    const records = this.#records(read)
    if (!Array.isArray(records)) return void call.emit('error', records)
    if (records.length === 0 && read.stream !== undefined && this.storage.read(read.stream) === undefined)
      call.write(writeNotFound(read.stream))
    for (const record of records) await write(call, writeEvent(record))
    call.end()
  }

  #records({ stream, from, backwards, max = 0 }: Read): Stored[] | ServiceError {
    if (max === 0) return FAILURES.noRecord()
    if (stream !== undefined) {
      const records = this.storage.read(stream)
      if (records === 'deleted') return FAILURES.deleted(stream)
      if (backwards)
        return (records ?? [])
          .filter(({ revision }) => from === 'end' || revision <= Number(from))
          .slice(-max)
          .toReversed()
      return (records ?? []).filter(({ revision }) => from === 'start' || revision >= Number(from)).slice(0, max)
    }
    const index = this.#indexOf(from)
    if (index === undefined) return FAILURES.noRecord()
    return backwards ? this.storage.all.slice(Math.max(0, index - max), index).toReversed() : this.storage.all.slice(index, index + max)
  }

  #indexOf(from: Read['from']): number | undefined {
    if (from === 'start') return 0
    // Beyond the end there is nothing; inside, nothing begins.
    return from === 'end' || from > (this.storage.all.at(-1)?.position ?? -1n) ? this.storage.all.length : this.storage.indexAt(from)
  }

  async #subscribe(call: ServerWritableStream<ReadRequest, ReadResponse>, { from, prefixes, checkpointEvery }: Read): Promise<void> {
    this.counts.subscriptions += 1
    const start = this.#indexOf(from)
    if (start === undefined) return void call.emit('error', FAILURES.noRecord())
    this.resumedAt = start
    let open = true
    const drop: Drop = (error) => {
      open = false
      this.counts.dropped += 1
      this.#live.delete(drop)
      call.emit('error', error)
    }
    this.#live.add(drop)
    const closed = Promise.withResolvers<void>()
    call.once('cancelled', () => {
      open = false
      this.#live.delete(drop)
      closed.resolve()
    })
    call.once('close', () => closed.resolve())
    await write(call, writeConfirmation(randomUUID()))
    let index = typeof from === 'bigint' ? start + 1 : start
    let live = false
    let since = 0
    while (open) {
      const record = this.storage.all[index]
      if (record === undefined) {
        if (!live) await write(call, writeCaughtUp())
        live = true
        await Promise.race([this.storage.next(), closed.promise])
        continue
      }
      if (live && this.storage.all.length - index > this.liveBuffer) return drop(FAILURES.tooSlow())
      index += 1
      since += 1
      if (prefixes === undefined || prefixes.some((prefix) => record.stream.startsWith(prefix))) await write(call, writeEvent(record))
      if (since % checkpointEvery !== 0) continue
      await write(call, writeCheckpoint(record.position, live))
      this.counts.checkpoints += 1
    }
  }
}

type Drop = (error: ServiceError) => void

/** Undefined where the call was broken off: a part of an append is none. */
const requestsOf = (call: ServerReadableStream<AppendRequest, AppendResponse>): Promise<readonly AppendRequest[] | undefined> =>
  new Promise((resolve) => {
    const requests: AppendRequest[] = []
    call.on('data', (request: AppendRequest) => requests.push(request))
    // A connection that breaks ends the stream too, and says a moment later that it broke.
    call.on('end', () => setTimeout(() => resolve(call.cancelled ? undefined : requests), 2))
    call.on('error', () => resolve(undefined))
    call.on('cancelled', () => resolve(undefined))
  })

/** Waits where the client does not take more: what keeps it from being flooded. */
const write = async (call: ServerWritableStream<ReadRequest, ReadResponse>, response: ReadResponse): Promise<void> => {
  if (call.destroyed || call.cancelled) return
  if (call.write(response)) return
  const ended = new AbortController()
  const end = (): void => ended.abort()
  call.once('close', end).once('cancelled', end)
  await once(call, 'drain', { signal: ended.signal }).catch(() => undefined)
  call.off('close', end).off('cancelled', end)
}

const bind = (server: Server, address: string, credentials: ServerCredentials): Promise<number> =>
  new Promise((resolve, reject) =>
    server.bindAsync(address, credentials, (error, port) => (error === null ? resolve(port) : reject(error))),
  )

const checker =
  ({ user }: StandInOptions) =>
  (metadata: Metadata): ServiceError | undefined => {
    if (user === undefined) return undefined
    const said = metadata.get('authorization')[0]
    if (said === undefined) return FAILURES.denied()
    const right = `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}`
    return said === right ? undefined : FAILURES.unauthenticated()
  }
