import * as E from 'fp-ts/lib/Either.js'
import type { FolderEvent, FolderId } from '../../domain/events.ts'
import { isFileEvent, touched } from '../../domain/tree.ts'
import type { RecordedEvent } from '../../eventlog/port.ts'
import type { MessageRecord } from '../../protocol/event-codec.ts'
import type { DecodedEvent, LogDecoder, Stopped } from '../port.ts'
import type { DirectoryTables } from './directory.ts'
import type { HeadTables } from './heads.ts'
import type { MessageTables } from './messages.ts'
import type { TreeTables } from './tree.ts'

export interface StateTables {
  readonly decoder: LogDecoder
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
  const putInto = once(tables.trees.writer)
  for (const event of fresh) {
    const decoded = tables.decoder.decode(event)
    if (E.isLeft(decoded)) return decoded
    foldDecoded(tables, putInto, decoded.right, event.revision)
  }
  tables.heads.set({ stream, revision: last.revision, chain: last.chain })
  return E.right(undefined)
}

type PutInto = TreeTables['writer']

/** A stream is of one folder: it is looked up once. */
const once = (writer: PutInto): PutInto => {
  let put: ReturnType<PutInto> | undefined
  return (folder) => (put ??= writer(folder))
}

const foldDecoded = (
  tables: StateTables,
  putInto: PutInto,
  { event: decoded, metadata: { time, message } }: DecodedEvent,
  revision: number,
): void => {
  switch (decoded.of) {
    case 'account':
      return tables.directory.fold(decoded.event, time)
    case 'gateway':
      if (decoded.event.type !== 'Checkpoint') return
      return decoded.event.heads.forEach(({ stream, revision: signed }) => tables.heads.setSigned(stream, signed))
    case 'folder':
      foldFolder(tables.directory, putInto, decoded.folder, decoded.event, revision)
      if (message !== undefined) foldMessage(tables.messages, message)
      return
    case 'agent':
    case 'packs':
  }
}

const foldFolder = (directory: DirectoryTables, putInto: PutInto, folder: FolderId, event: FolderEvent, revision: number): void => {
  if (event.type === 'FolderCreated') directory.addFolder({ folder, account: event.account, name: event.name })
  if (isFileEvent(event)) putInto(folder)(touched(event, revision))
}

/** The message's last event is the one that its latest outcome names: each change's own event is its last. */
const foldMessage = (messages: MessageTables, { head, outcomes }: MessageRecord): void => {
  const position = outcomes.reduce((latest, outcome) => (outcome.status === 200 ? Math.max(latest, outcome.revision) : latest), 0)
  messages.add({ agent: head.agent, folder: head.folder, epoch: head.epoch }, head.number, { root: head.root, position, outcomes })
}
