import { Metadata, status, type ServiceError } from '@grpc/grpc-js'
import type * as shared from '@eventstore/db-client/generated/shared_pb.js'
import type * as streams from '@eventstore/db-client/generated/streams_pb.js'
import { Shared, Streams } from './generated.ts'
import type { Appended, Expected, Proposed, Stored } from './storage.ts'

const { AppendResp, ReadReq, ReadResp } = Streams
export type ReadRequest = streams.ReadReq
export type ReadResponse = streams.ReadResp
export type AppendRequest = streams.AppendReq
export type AppendResponse = streams.AppendResp

/** A failure as the real server words it: the client knows some by what `exception` says. */
export const failure = (code: status, details: string, exception?: string, fields: Readonly<Record<string, string>> = {}): ServiceError => {
  const metadata = new Metadata()
  if (exception !== undefined) metadata.set('exception', exception)
  for (const [name, value] of Object.entries(fields)) metadata.set(name, value)
  return Object.assign(new Error(details), { code, details, metadata })
}

export const FAILURES = {
  notReady: () => failure(status.UNAVAILABLE, 'Server Is Not Ready'),
  notReadyYet: () => failure(status.UNKNOWN, 'Server Is Not Ready'),
  denied: () => failure(status.PERMISSION_DENIED, 'Access Denied', 'access-denied'),
  unauthenticated: () => failure(status.UNAUTHENTICATED, 'Bad HTTP status code: 401'),
  deleted: (stream: string) =>
    failure(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, 'stream-deleted', { 'stream-name': stream }),
  tooLarge: (max: number) =>
    failure(status.INVALID_ARGUMENT, `Maximum Append Size of ${max} Exceeded.`, 'maximum-append-size-exceeded', {
      'maximum-append-size': String(max),
    }),
  tooSlow: () =>
    failure(status.ABORTED, 'Operation timed out: Consumer too slow to handle event while live. Client resubscription required.'),
  reset: () => failure(status.INTERNAL, 'Received RST_STREAM with code 2'),
  noRecord: () => failure(status.UNKNOWN, 'Unexpected ReadAllResult: Error'),
}

const nameOf = (identifier: shared.StreamIdentifier | undefined): string =>
  Buffer.from(identifier?.getStreamName_asU8() ?? new Uint8Array()).toString('utf8')

const identifierOf = (name: string): shared.StreamIdentifier => {
  const identifier = new Shared.StreamIdentifier()
  identifier.setStreamName(Buffer.from(name))
  return identifier
}

const positionOf = (position: bigint): streams.AppendResp.Position => {
  const message = new AppendResp.Position()
  message.setCommitPosition(String(position))
  message.setPreparePosition(String(position))
  return message
}

export interface Append {
  readonly stream: string
  readonly expected: Expected
  readonly events: readonly Proposed[]
}

const expectedOf = (options: streams.AppendReq.Options): Expected => {
  if (options.hasNoStream()) return 'none'
  if (options.hasAny()) return 'any'
  return options.hasStreamExists() ? 'exists' : Number(options.getRevision())
}

export const readAppend = (requests: readonly AppendRequest[]): Append => {
  const options = requests[0]?.getOptions() ?? new Streams.AppendReq.Options()
  const events = requests.slice(1).map((request): Proposed => {
    const message = request.getProposedMessage() ?? new Streams.AppendReq.ProposedMessage()
    return {
      id: message.getId()?.getString() ?? '',
      type: message.getMetadataMap().get('type') ?? '',
      contentType: message.getMetadataMap().get('content-type') ?? '',
      data: message.getData_asU8(),
      metadata: message.getCustomMetadata_asU8(),
    }
  })
  return { stream: nameOf(options.getStreamIdentifier()), expected: expectedOf(options), events }
}

/** Undefined where the stream is deleted: that is an error. */
export const writeAppended = (appended: Exclude<Appended, { tag: 'deleted' }>, expected: Expected): AppendResponse => {
  const response = new AppendResp()
  if (appended.tag === 'ok') {
    const success = new AppendResp.Success()
    success.setCurrentRevision(String(appended.revision))
    success.setPosition(positionOf(appended.position))
    return response.setSuccess(success)
  }
  const wrong = new AppendResp.WrongExpectedVersion()
  if (appended.actual === 'none') wrong.setCurrentNoStream(new Shared.Empty())
  else wrong.setCurrentRevision(String(appended.actual))
  if (expected === 'none') wrong.setExpectedNoStream(new Shared.Empty())
  else if (typeof expected === 'number') wrong.setExpectedRevision(String(expected))
  return response.setWrongExpectedVersion(wrong)
}

export type Place = bigint | 'start' | 'end'

export interface Read {
  /** Undefined: all streams. */
  readonly stream: string | undefined
  /** A revision, or a position where all streams are read. */
  readonly from: Place
  readonly backwards: boolean
  /** Undefined: a subscription. */
  readonly max: number | undefined
  readonly prefixes: readonly string[] | undefined
  readonly checkpointEvery: number
}

const placeOf = (start: boolean, end: boolean, at: string | undefined): Place => {
  if (start) return 'start'
  return end ? 'end' : BigInt(at ?? 0)
}

export const readRead = (request: ReadRequest): Read => {
  const options = request.getOptions() ?? new Streams.ReadReq.Options()
  const stream = options.getStream()
  const all = options.getAll() ?? new Streams.ReadReq.Options.AllOptions()
  const filter = options.getFilter()
  return {
    stream: stream && nameOf(stream.getStreamIdentifier()),
    from: stream
      ? placeOf(stream.hasStart(), stream.hasEnd(), stream.getRevision())
      : placeOf(all.hasStart(), all.hasEnd(), all.getPosition()?.getCommitPosition()),
    backwards: options.getReadDirection() === ReadReq.Options.ReadDirection.BACKWARDS,
    max: options.hasCount() ? Number(options.getCount()) : undefined,
    prefixes: filter?.getStreamIdentifier()?.getPrefixList(),
    checkpointEvery: (filter?.getMax() ?? 32) * (filter?.getCheckpointintervalmultiplier() ?? 1),
  }
}

export const writeEvent = ({ id, stream, revision, position, type, contentType, data, metadata }: Stored): ReadResponse => {
  const record = new ReadResp.ReadEvent.RecordedEvent()
  record.setId(new Shared.UUID().setString(id))
  record.setStreamIdentifier(identifierOf(stream))
  record.setStreamRevision(String(revision))
  record.setCommitPosition(String(position))
  record.setPreparePosition(String(position))
  record.getMetadataMap().set('type', type).set('content-type', contentType).set('created', '638000000000000000')
  record.setData(data)
  record.setCustomMetadata(metadata)
  const event = new ReadResp.ReadEvent().setEvent(record)
  event.setCommitPosition(String(position))
  return new ReadResp().setEvent(event)
}

export const writeNotFound = (stream: string): ReadResponse =>
  new ReadResp().setStreamNotFound(new ReadResp.StreamNotFound().setStreamIdentifier(identifierOf(stream)))

export const writeConfirmation = (id: string): ReadResponse =>
  new ReadResp().setConfirmation(new ReadResp.SubscriptionConfirmation().setSubscriptionId(id))

export const writeCaughtUp = (): ReadResponse => new ReadResp().setCaughtUp(new ReadResp.CaughtUp())

/** The real server leaves the prepare position of a live checkpoint at 0 at times. */
export const writeCheckpoint = (position: bigint, live: boolean): ReadResponse => {
  const checkpoint = new ReadResp.Checkpoint()
  checkpoint.setCommitPosition(String(position))
  checkpoint.setPreparePosition(live ? '0' : String(position))
  return new ReadResp().setCheckpoint(checkpoint)
}
