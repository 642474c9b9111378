import { either as E } from 'fp-ts'
import type { AccountEvent, AgentEvent, AgentKey, FolderEvent, FolderId, GatewayEvent, PackEvent } from '../domain/events.ts'
import type { RecordedEvent } from '../eventlog/port.ts'
import { decodeAccountEvent, decodeAgentEvent, decodeFolderEvent, decodePackEvent, type EncodedEvent, type EventError } from '../protocol/event-codec.ts'
import { decodeGatewayEvent } from '../protocol/gateway-event-codec.ts'

/** An event of any stream, understood. */
export type Decoded =
  | { readonly of: 'folder'; readonly folder: FolderId; readonly event: FolderEvent }
  | { readonly of: 'account'; readonly event: AccountEvent }
  | { readonly of: 'agent'; readonly agent: AgentKey; readonly event: AgentEvent }
  | { readonly of: 'packs'; readonly event: PackEvent }
  | { readonly of: 'gateway'; readonly event: GatewayEvent }

export const PACKS = 'packs'
export const GATEWAY = 'gateway'
export const folderStream = (folder: FolderId): string => `folder-${folder}`
export const accountStream = (account: string): string => `account-${account}`
export const agentStream = (agent: AgentKey): string => `agent-${agent}`

const STREAM = /^(folder|account|agent)-(.*)$/s

/** Understands an event by its stream; a left stops whoever follows the log: nothing is ever skipped. */
export const decodeEvent = (stream: string, event: EncodedEvent): E.Either<EventError, Decoded> => {
  if (stream === PACKS) return E.map((decoded: PackEvent): Decoded => ({ of: 'packs', event: decoded }))(decodePackEvent(event))
  if (stream === GATEWAY) return E.map((decoded: GatewayEvent): Decoded => ({ of: 'gateway', event: decoded }))(decodeGatewayEvent(event))
  const [, kind, id] = STREAM.exec(stream) ?? []
  switch (kind) {
    case 'folder':
      // Streams are named by `folderStream` alone, and so below.
      return E.map((decoded: FolderEvent): Decoded => ({ of: 'folder', folder: id as FolderId, event: decoded }))(decodeFolderEvent(event))
    case 'account':
      return E.map((decoded: AccountEvent): Decoded => ({ of: 'account', event: decoded }))(decodeAccountEvent(event))
    case 'agent':
      return E.map((decoded: AgentEvent): Decoded => ({ of: 'agent', agent: id as AgentKey, event: decoded }))(decodeAgentEvent(event))
    default:
      return E.left({ tag: 'UnknownEvent', type: event.type, version: 0 })
  }
}

/** What an {@link EventError} says, in words. */
export const eventErrorText = (error: EventError, { stream, revision }: Pick<RecordedEvent, 'stream' | 'revision'>): string =>
  error.tag === 'UnknownEvent'
    ? `event ${revision} of ${stream}: this version of EventSync does not know type ${error.type}, version ${error.version}`
    : `event ${revision} of ${stream}, of type ${error.type}: ${error.field} ${error.reason}`
