import type { Revision } from '../change.ts'
import type { FileId, FolderEvent, TreeEntry } from '../events.ts'
import { isUnder, type SyncPath } from '../path.ts'
import { isFileEvent, touched } from '../tree.ts'
import { isLive, type TreeView } from './view.ts'

/**
 * A view with events on top that are decided and not yet appended, so that the changes of one batch see each other. Histories stay
 * the base's: no agent can have based a change on a revision that does not exist yet.
 */
export interface Overlay extends TreeView {
  /** Puts the next events on top: `evolve` of a decider. */
  apply(events: readonly FolderEvent[]): void
  /** Where {@link Overlay.rewind} leads back to. */
  mark(): OverlayMark
  /** Takes off what was put on top since. */
  rewind(mark: OverlayMark): void
}

/** The revision then next, and the number of entries then laid over. */
export interface OverlayMark {
  readonly next: Revision
  readonly undo: number
}

interface Undo {
  readonly path: SyncPath
  readonly before: TreeEntry | undefined
}

export const overlay = (base: TreeView): Overlay => {
  const entries = new Map<SyncPath, TreeEntry>()
  const places = new Map<FileId, SyncPath>()
  const undo: Undo[] = []
  let next = base.next
  // The base stands still: a batch asks for the same parents again and again.
  const asked = new Map<SyncPath, TreeEntry | undefined>()
  const askBase = (path: SyncPath): TreeEntry | undefined => {
    if (asked.has(path)) return asked.get(path)
    const entry = base.get(path)
    asked.set(path, entry)
    return entry
  }
  const get = (path: SyncPath): TreeEntry | undefined => entries.get(path) ?? askBase(path)
  const lay = (entry: TreeEntry): void => {
    undo.push({ path: entry.path, before: entries.get(entry.path) })
    entries.set(entry.path, entry)
    if (isLive(entry)) places.set(entry.fileId, entry.path)
  }
  const unlay = ({ path, before }: Undo): void => {
    if (before === undefined) entries.delete(path)
    else entries.set(path, before)
    if (isLive(before)) places.set(before.fileId, path)
  }
  const living = (path: SyncPath | undefined, fileId: FileId): TreeEntry | undefined => {
    const entry = path === undefined ? undefined : get(path)
    return isLive(entry) && entry.fileId === fileId ? entry : undefined
  }
  return {
    get next() {
      return next
    },
    get,
    live: (fileId) => living(places.get(fileId), fileId) ?? living(base.live(fileId)?.path, fileId),
    hasLiveUnder: (path, gone = () => false) => {
      for (const [at, entry] of entries) if (isLive(entry) && isUnder(at, path) && !gone(at)) return true
      return base.hasLiveUnder(path, (at) => gone(at) || entries.has(at))
    },
    versionAt: base.versionAt,
    held: base.held,
    newFileId: base.newFileId,
    apply: (events) => {
      for (const event of events) {
        if (isFileEvent(event)) touched(event, next).forEach(lay)
        next += 1
      }
    },
    mark: () => ({ next, undo: undo.length }),
    rewind: (mark) => {
      next = mark.next
      undo.splice(mark.undo).toReversed().forEach(unlay)
    },
  }
}
