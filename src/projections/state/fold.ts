import { either as E } from 'fp-ts'
import type { FolderEvent, FolderId } from '../../domain/events.ts'
import { isFileEvent, touched } from '../../domain/tree.ts'
import type { RecordedEvent } from '../../eventlog/port.ts'
import { decodeMetadata, type EventMetadata, type MessageRecord } from '../../protocol/event-codec.ts'
import { decodeLogEvent, eventErrorText, type LogEvent } from '../../protocol/log-event.ts'
import type { Stopped } from '../port.ts'
import type { DirectoryTables } from './directory.ts'
import type { HeadTables } from './heads.ts'
import type { MessageTables } from './messages.ts'
import type { TreeTables } from './tree.ts'

export interface StateTables {
  readonly heads: HeadTables
  readonly trees: TreeTables
  readonly directory: DirectoryTables
  readonly messages: MessageTables
}

const stopped = (reason: string): E.Either<Stopped, never> => E.left({ tag: 'Stopped', reason })

/** Folds events of one stream, in order; those that are in already change nothing. On a left, what was done must be rolled back. */
export const foldStream = (tables: StateTables, stream: string, events: readonly RecordedEvent[]): E.Either<Stopped, void> => {
  const known = tables.heads.of(stream)?.revision ?? -1
  const fresh = events.filter((event) => event.revision > known)
  const first = fresh[0]
  const last = fresh.at(-1)
  if (first === undefined || last === undefined) return E.right(undefined)
  if (first.revision !== known + 1) return stopped(`events ${known + 1} to ${first.revision - 1} of ${stream} are missing`)
  for (const event of fresh) {
    const folded = foldEvent(tables, stream, event)
    if (E.isLeft(folded)) return folded
  }
  tables.heads.set({ stream, revision: last.revision, chain: last.chain })
  return E.right(undefined)
}

const foldEvent = (tables: StateTables, stream: string, event: RecordedEvent): E.Either<Stopped, void> => {
  const decoded = decodeLogEvent(stream, event)
  if (E.isLeft(decoded)) return stopped(eventErrorText(decoded.left, stream, event.revision))
  const metadata = decodeMetadata(event.metadata)
  if (E.isLeft(metadata)) return stopped(eventErrorText(metadata.left, stream, event.revision))
  return E.right(foldDecoded(tables, decoded.right, event.revision, metadata.right))
}

const foldDecoded = (tables: StateTables, decoded: LogEvent, revision: number, { time, message }: EventMetadata): void => {
  switch (decoded.of) {
    case 'account':
      return tables.directory.fold(decoded.event, time)
    case 'gateway':
      return decoded.event.heads.forEach(({ stream, revision: signed }) => tables.heads.setSigned(stream, signed))
    case 'folder':
      foldFolder(tables, decoded.folder, decoded.event, revision)
      if (message !== undefined) foldMessage(tables.messages, message)
      return
    case 'agent':
    case 'packs':
  }
}

const foldFolder = ({ directory, trees }: StateTables, folder: FolderId, event: FolderEvent, revision: number): void => {
  if (event.type === 'FolderCreated') directory.addFolder({ folder, account: event.account, name: event.name })
  if (isFileEvent(event)) trees.put(folder, touched(event, revision))
}

/** The message's last event is the one that its latest outcome names: each change's own event is its last. */
const foldMessage = (messages: MessageTables, { head, outcomes }: MessageRecord): void => {
  const position = outcomes.reduce((latest, outcome) => (outcome.status === 200 ? Math.max(latest, outcome.revision) : latest), 0)
  messages.add({ agent: head.agent, folder: head.folder, epoch: head.epoch }, head.number, { root: head.root, position, outcomes })
}
