import type { DatabaseSync } from 'node:sqlite'
import { either as E } from 'fp-ts'
import type { HeadOfStream, FolderEvent, FolderId } from '../../domain/events.ts'
import { isFileEvent, touched } from '../../domain/tree.ts'
import type { RecordedEvent } from '../../eventlog/port.ts'
import { transaction } from '../../lib/sqlite.ts'
import { decodeMetadata, type EventMetadata } from '../../protocol/event-codec.ts'
import type { MessageRecord } from '../../protocol/event-metadata.ts'
import { eventErrorText } from '../decode.ts'
import { decodeEvent, type Decoded } from '../decode.ts'
import { prepareDirectory, type Directory } from './directory.ts'
import { prepareHeads } from './heads.ts'
import { prepareMessages, type Messages } from './messages.ts'
import { migrateState } from './schema.ts'
import { prepareTrees, type FolderTree } from './tree.ts'

/** An event that this version can't understand: nothing after it is folded in. */
export interface Stopped {
  readonly tag: 'Stopped'
  readonly reason: string
}

/**
 * What the gateway decides and answers by: every folder's tree at its head, who there is, which messages count already, and where
 * each stream ends. A fold over the log like the others (I7), but kept in step with it: see {@link StateProjection.appended}.
 */
export interface StateProjection {
  head(stream: string): HeadOfStream | undefined
  /** Streams that grew since the last Checkpoint. */
  unsignedHeads(max: number): readonly HeadOfStream[]
  tree(folder: FolderId): FolderTree
  readonly directory: Omit<Directory, 'fold' | 'addFolder'>
  readonly messages: Pick<Messages, 'find'>
  /** Folds events of one stream in, in one transaction; those that are in already change nothing. */
  apply(stream: string, events: readonly RecordedEvent[]): E.Either<Stopped, void>
  /**
   * For a log that calls it inside its append's own transaction, on the same database: so the projection is never behind. Throws at
   * what it can't fold, so that nothing is appended.
   */
  appended(stream: string, events: readonly RecordedEvent[]): void
  /** Where the fold of the whole log goes on; `apply` alone does not move it, since streams may be applied out of the log's order. */
  readonly checkpoint: ReturnType<typeof prepareHeads>['checkpoint']
  setCheckpoint(position: RecordedEvent['position']): void
}

/** Opens the projection's tables in a database, which may be the log's own. */
export const openState = (db: DatabaseSync): StateProjection => {
  migrateState(db)
  const heads = prepareHeads(db)
  const trees = prepareTrees(db)
  const directory = prepareDirectory(db)
  const messages = prepareMessages(db)
  const fold = (stream: string, event: RecordedEvent): E.Either<Stopped, void> => {
    const decoded = decodeEvent(stream, event)
    if (E.isLeft(decoded)) return stopped(eventErrorText(decoded.left, event))
    const metadata = decodeMetadata(event.metadata)
    if (E.isLeft(metadata)) return stopped(eventErrorText(metadata.left, event))
    return E.right(foldDecoded(decoded.right, event.revision, metadata.right))
  }
  const foldDecoded = (decoded: Decoded, revision: number, metadata: EventMetadata): void => {
    if (decoded.of === 'account') directory.fold(decoded.event, metadata.time)
    if (decoded.of === 'gateway') for (const head of decoded.event.heads) heads.setSigned(head.stream, head.revision)
    if (decoded.of !== 'folder') return
    foldFolder(decoded.folder, decoded.event, revision)
    if (metadata.message !== undefined) foldMessage(messages, metadata.message)
  }
  const foldFolder = (folder: FolderId, event: FolderEvent, revision: number): void => {
    if (event.type === 'FolderCreated') directory.addFolder({ folder, account: event.account, name: event.name })
    if (isFileEvent(event)) trees.put(folder, touched(event, revision))
  }
  const foldAll = (stream: string, events: readonly RecordedEvent[]): E.Either<Stopped, void> => {
    const known = heads.of(stream)?.revision ?? -1
    const fresh = events.filter((event) => event.revision > known)
    const last = fresh.at(-1)
    if (last === undefined) return E.right(undefined)
    if (fresh[0]?.revision !== known + 1) return stopped(`events ${known + 1} to ${Number(fresh[0]?.revision) - 1} of ${stream} are missing`)
    for (const event of fresh) {
      const folded = fold(stream, event)
      if (E.isLeft(folded)) return folded
    }
    heads.set({ stream, revision: last.revision, chain: last.chain })
    return E.right(undefined)
  }
  const apply: StateProjection['apply'] = (stream, events) => {
    try {
      return transaction(db, () => orThrow(foldAll(stream, events)))
    } catch (error) {
      if (error instanceof RolledBack) return E.left(error.left)
      throw error
    }
  }
  return {
    head: heads.of,
    unsignedHeads: heads.unsigned,
    tree: trees.of,
    directory,
    messages,
    apply,
    appended: (stream, events) => {
      orThrow(foldAll(stream, events))
      const last = events.at(-1)
      if (last !== undefined) heads.setCheckpoint(last.position)
    },
    checkpoint: heads.checkpoint,
    setCheckpoint: heads.setCheckpoint,
  }
}

const stopped = (reason: string): E.Either<Stopped, never> => E.left({ tag: 'Stopped', reason })

/** Carries a left out of a transaction, which keeps nothing then. */
class RolledBack extends Error {
  readonly left: Stopped
  constructor(left: Stopped) {
    super(left.reason)
    this.left = left
  }
}

const orThrow = (result: E.Either<Stopped, void>): E.Either<Stopped, void> => {
  if (E.isLeft(result)) throw new RolledBack(result.left)
  return result
}

/** The message's last event is the one that its latest outcome names: each change's own event is its last. */
const foldMessage = (messages: Messages, { head, outcomes }: MessageRecord): void => {
  const position = outcomes.reduce((latest, outcome) => (outcome.status === 200 ? Math.max(latest, outcome.revision) : latest), 0)
  messages.add({ agent: head.agent, folder: head.folder, epoch: head.epoch }, head.number, { root: head.root, position, outcomes })
}
