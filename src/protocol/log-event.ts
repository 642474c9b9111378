import * as E from 'fp-ts/lib/Either.js'
import type { Manifest } from '../domain/content.ts'
import type { AccountEvent, AgentEvent, FolderEvent, FolderId, GatewayEvent } from '../domain/events.ts'
import { isFileEvent } from '../domain/tree.ts'
import {
  decodeAccountEvent,
  decodeAgentEvent,
  decodeFolderEvent,
  decodePacksEvent,
  type EncodedEvent,
  type EventError,
  type PacksEvent,
} from './event-codec.ts'
import { decodeGatewayEvent } from './gateway-event-codec.ts'
import { GATEWAY, PACKS } from './streams.ts'

/** An event of any stream, understood. */
export type LogEvent =
  | { readonly of: 'folder'; readonly folder: FolderId; readonly event: FolderEvent }
  | { readonly of: 'account'; readonly event: AccountEvent }
  | { readonly of: 'agent'; readonly event: AgentEvent }
  | { readonly of: 'packs'; readonly event: PacksEvent }
  | { readonly of: 'gateway'; readonly event: GatewayEvent }

/** Understands an event by its stream; a left stops whoever follows the log: nothing is ever skipped. */
export const decodeLogEvent = (stream: string, encoded: EncodedEvent): E.Either<EventError, LogEvent> => {
  if (stream === PACKS) return E.map((event: PacksEvent): LogEvent => ({ of: 'packs', event }))(decodePacksEvent(encoded))
  if (stream === GATEWAY) return E.map((event: GatewayEvent): LogEvent => ({ of: 'gateway', event }))(decodeGatewayEvent(encoded))
  const dash = stream.indexOf('-')
  switch (stream.slice(0, Math.max(0, dash))) {
    case 'folder': {
      const event = decodeFolderEvent(encoded)
      // Streams are named by `folderStream` alone.
      return E.isLeft(event) ? event : E.right({ of: 'folder', folder: stream.slice(dash + 1) as FolderId, event: event.right })
    }
    case 'account':
      return E.map((event: AccountEvent): LogEvent => ({ of: 'account', event }))(decodeAccountEvent(encoded))
    case 'agent':
      return E.map((event: AgentEvent): LogEvent => ({ of: 'agent', event }))(decodeAgentEvent(encoded))
    default:
      return E.left({ tag: 'UnknownEvent', type: encoded.type, version: 0 })
  }
}

/** What an {@link EventError} says, in words. */
export const eventErrorText = (error: EventError, stream: string, revision: number): string =>
  error.tag === 'UnknownEvent'
    ? `event ${revision} of ${stream}: this version of EventSync does not know type ${error.type}, version ${error.version}`
    : `event ${revision} of ${stream}, of type ${error.type}: ${error.field} ${error.reason}`

/** The manifest object that must be read before it is known which chunks an event names. */
export const manifestNeeded = (decoded: LogEvent): Extract<Manifest, { tag: 'object' }> | undefined => {
  if (decoded.of !== 'folder' || !isFileEvent(decoded.event) || decoded.event.type === 'FileDeleted') return undefined
  const { manifest } = decoded.event.content
  return manifest.tag === 'object' ? manifest : undefined
}
