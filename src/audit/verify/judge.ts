import type { Base, Change } from '../../domain/change.ts'
import type { Hash, Kind } from '../../domain/content.ts'
import type { FileEvent, FileId } from '../../domain/events.ts'
import { isUnder, parentOf, type SyncPath } from '../../domain/path.ts'
import { isOfHash, createdIn, type Known } from './tree.ts'

/** The tree before an event. */
export interface Before {
  readonly revision: number
  get(path: SyncPath): Known | undefined
  /** Whether the file that was made at a revision lives anywhere. */
  lives(created: number): boolean
  newFileId(revision: number): FileId
}

/** What an earlier event had made of its path. */
export interface SeenVersion {
  readonly path: SyncPath
  readonly created: number
  readonly kind: Kind
  readonly hash: Hash
}

/** Why an event does not follow; undefined: it does. */
export type Verdict = string | undefined

export type FileChange = Extract<Change, { readonly path: SyncPath }>
type Put = Extract<Change, { readonly tag: 'create' | 'update' }>
type Event<T extends FileEvent['type']> = Extract<FileEvent, { type: T }>

/** The base of a change that was not the path's last version any more: what it was has to be looked up. */
export const staleBase = (before: Before, change: FileChange): number | undefined => {
  if (typeof change.base !== 'number') return undefined
  const at = before.get(change.tag === 'move' ? change.from : change.path)
  return at?.live === true && at.revision === change.base ? undefined : change.base
}

/**
 * Whether an event is one that the decider (src/domain/decide) makes of its change over this tree: where it landed, what it replaced,
 * which file it is. `seen` is what the change's base was, where {@link staleBase} asked for it. Not looked at is whether an edit that was made on
 * an older version had been on the path since: that is a question of all its history, and either answer keeps both contents.
 */
export const judge = (before: Before, event: FileEvent, change: FileChange, seen: SeenVersion | undefined): Verdict => {
  // The decoder takes the content out of the change unless the gateway gave another one.
  if ('content' in event && !('content' in change && event.content === change.content)) return 'it has another content than was asked for'
  switch (change.tag) {
    case 'create':
    case 'update':
      return judgePut(before, event, change, seen)
    case 'move':
      return judgeMove(before, event, change, seen)
    case 'delete':
      return event.type === 'FileDeleted' ? judgeDelete(before, event, change) : 'a deletion can only make FileDeleted'
  }
}

/** An event that a change made beside its own: a missing folder above it, or the deletion that belongs to a move. */
export const judgeBeside = (
  before: Before,
  event: FileEvent,
  change: FileChange,
  landed: SyncPath,
  seen: SeenVersion | undefined,
): Verdict => {
  if (event.type === 'FileDeleted') {
    if (change.tag !== 'move' || event.path !== change.from) return 'no move from there was asked for'
    const source = before.get(change.from)
    const wasSeen = source === undefined || movesSeen(source, change.from, change.base, seen)
    return wasSeen ? judgeReplaced(before, event) : 'the move was not made on what it moved'
  }
  if (event.type !== 'FileCreated' || event.content.kind !== 'directory' || event.content.modified !== '0' || !isUnder(landed, event.path))
    return 'only missing folders above its path are made beside a change'
  return judgeCreated(before, event)
}

const judgePut = (before: Before, event: FileEvent, change: Put, seen: SeenVersion | undefined): Verdict => {
  if (event.type === 'FileCreated') return judgeCreation(before, event, change, seen)
  if (event.type !== 'FileUpdated') return `such a change cannot make ${event.type}`
  const entry = before.get(event.path)
  return judgeUpdate(before, event) ?? (entry === undefined ? undefined : judgeLanding(entry, event, change, seen))
}

const judgeCreation = (before: Before, event: Event<'FileCreated'>, change: Put, seen: SeenVersion | undefined): Verdict => {
  if (event.path !== change.path) return 'a new path can only be made where it was asked for'
  const isOfMoved = seen?.path === change.path && seen.kind === change.content.kind && before.lives(seen.created)
  return judgeCreated(before, event) ?? (isOfMoved ? 'its file lives at another path, where the edit belongs' : undefined)
}

const judgeLanding = (entry: Known, event: Event<'FileUpdated'>, change: Put, seen: SeenVersion | undefined): Verdict => {
  const { base, path, content } = change
  if (event.path === path && (base === 'any' || base === entry.revision)) return undefined
  if (base === 'any' || base === 'none') return 'the path was taken, and the change was not made on what it held'
  // Made on an older version: of the same file, which may have moved, with the bytes that it still had.
  const isOf = seen?.path === path && seen.created === entry.created && seen.kind === entry.kind && isOfHash(entry, seen.hash)
  if (!isOf) return 'the change was not made on what it replaced'
  return event.path === path || entry.kind === content.kind ? undefined : 'a change of kind does not follow a file that was moved'
}

const judgeMove = (before: Before, event: FileEvent, change: Extract<Change, { tag: 'move' }>, seen: SeenVersion | undefined): Verdict => {
  if (event.path !== change.path) return 'a move can only land where it was asked for'
  const source = before.get(change.from)
  // A move onto a path that is taken was told as a deletion and an update; the deletion has just been judged.
  if (event.type === 'FileUpdated') return source?.live === true ? 'the file is at its old path still' : judgeUpdate(before, event)
  if (event.type === 'FileCreated')
    return change.base !== 'any' || source?.live === true ? 'such a move makes no new file' : judgeCreated(before, event)
  if (event.type !== 'FileMoved') return `a move cannot make ${event.type}`
  if (event.from !== change.from) return 'it moved from another path than was asked for'
  if (source?.live !== true || source.kind === 'directory') return 'there was no file to move'
  if (!movesSeen(source, change.from, change.base, seen)) return 'the move was not made on what it moved'
  if (event.base !== source.revision) return baseIs(source)
  if (createdIn(event.fileId) !== source.created) return 'it is another file than the one that was moved'
  return before.get(event.path)?.live === true ? 'the path to move to was taken' : judgeParent(before, event.path)
}

const movesSeen = (source: Known, from: SyncPath, base: Base, seen: SeenVersion | undefined): boolean => {
  if (base === 'any' || base === source.revision) return true
  return seen?.path === from && seen.created === source.created && seen.kind === source.kind && isOfHash(source, seen.hash)
}

const judgeDelete = (before: Before, event: Event<'FileDeleted'>, change: Extract<Change, { tag: 'delete' }>): Verdict => {
  if (event.path !== change.path) return 'it deletes another path than was asked for'
  const entry = before.get(event.path)
  if (entry !== undefined && change.base !== 'any' && change.base !== entry.revision) return 'the deletion was of another version'
  return judgeReplaced(before, event) ?? (entry !== undefined && isFull(entry) ? 'the folder was not empty' : undefined)
}

const judgeUpdate = (before: Before, event: Event<'FileUpdated'>): Verdict => {
  const entry = before.get(event.path)
  const empties = entry?.kind === 'directory' && event.content.kind !== 'directory' && isFull(entry)
  return judgeReplaced(before, event) ?? (empties ? 'a folder that was not empty is in its place' : undefined)
}

/** What an update or a deletion says of the version that it ends. */
const judgeReplaced = (before: Before, event: Event<'FileUpdated' | 'FileDeleted'>): Verdict => {
  const entry = before.get(event.path)
  if (entry?.live !== true) return 'there was nothing at its path'
  if (event.base !== entry.revision) return baseIs(entry)
  return createdIn(event.fileId) === entry.created && hasFolder(before, event.fileId) ? undefined : 'its file id is that of another file'
}

const judgeCreated = (before: Before, event: Event<'FileCreated'>): Verdict => {
  if (before.get(event.path)?.live === true) return 'its path was taken'
  if (event.fileId !== before.newFileId(before.revision)) return 'its file id is not that of a file made here'
  return judgeParent(before, event.path)
}

const judgeParent = (before: Before, path: SyncPath): Verdict => {
  const parent = parentOf(path)
  if (parent === undefined) return undefined
  const entry = before.get(parent)
  return entry?.live === true && entry.kind === 'directory' ? undefined : 'there is no folder that it could be in'
}

/** The folder's part of a file id. */
const FOLDER_DIGITS = 16
const hasFolder = (before: Before, fileId: FileId): boolean => before.newFileId(0).startsWith(fileId.slice(0, FOLDER_DIGITS))

const isFull = ({ kind, children }: Known): boolean => kind === 'directory' && children > 0

const baseIs = ({ revision }: Known): string => `its base must be ${revision}, the last version of its path`
