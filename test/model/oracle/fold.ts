import type { Content } from '../../../src/domain/content.ts'
import type { ContentId } from '../content-id.ts'
import type { Evidence, LogEntry } from './evidence.ts'

/** What the log says of one path. */
export interface Version {
  readonly path: string
  readonly revision: number
  readonly fileId: string
  readonly content: Content
  readonly id: ContentId
  readonly entry: LogEntry
}

/** The oracle's own tree: live paths, and the last revision of those that are gone. */
export class Fold {
  readonly live = new Map<string, Version>()
  readonly gone = new Map<string, number>()

  /** Folds one event in; returns what it replaced, and what it did that no tree allows (I18). */
  apply(entry: LogEntry): { readonly replaced: readonly Version[]; readonly wrong: string | undefined } {
    const { event } = entry
    switch (event.type) {
      case 'FileCreated': {
        const before = this.live.get(event.path)
        this.#set(entry, event.path, event.fileId, event.content)
        return {
          replaced: before === undefined ? [] : [before],
          wrong: before === undefined ? this.#misplaced(event.path) : `created ${event.path}, which was there`,
        }
      }
      case 'FileUpdated': {
        const before = this.live.get(event.path)
        this.#set(entry, event.path, event.fileId, event.content)
        return { replaced: before === undefined ? [] : [before], wrong: this.#wrongUpdate(before, event) ?? this.#misplaced(event.path) }
      }
      case 'FileMoved': {
        const source = this.live.get(event.from)
        const target = this.live.get(event.path)
        this.#delete(event.from, entry.revision)
        this.#set(entry, event.path, event.fileId, event.content)
        const wrong =
          target !== undefined
            ? `moved onto ${event.path}, which was there`
            : (this.#wrongMove(source, event) ?? this.#misplaced(event.path))
        return { replaced: [source, target].filter((version) => version !== undefined), wrong }
      }
      case 'FileDeleted': {
        const before = this.live.get(event.path)
        this.#delete(event.path, entry.revision)
        return { replaced: before === undefined ? [] : [before], wrong: this.#wrongDelete(before, event.path) }
      }
      default:
        return { replaced: [], wrong: undefined }
    }
  }

  #set(entry: LogEntry, path: string, fileId: string, content: Content): void {
    this.gone.delete(path)
    // Every event with a content has its id.
    this.live.set(path, { path, revision: entry.revision, fileId, content, id: entry.content as ContentId, entry })
  }

  #delete(path: string, revision: number): void {
    this.live.delete(path)
    this.gone.set(path, revision)
  }

  #hasChildren(path: string): boolean {
    for (const other of this.live.keys()) if (other.startsWith(`${path}/`)) return true
    return false
  }

  #misplaced(path: string): string | undefined {
    const cut = path.lastIndexOf('/')
    const parent = path.slice(0, Math.max(0, cut))
    if (cut >= 0 && this.live.get(parent)?.content.kind !== 'directory') return `${path} is in ${parent}, which is no folder`
    if (this.live.get(path)?.content.kind !== 'directory' && this.#hasChildren(path)) return `${path} is no folder and has something in it`
    return undefined
  }

  #wrongUpdate(before: Version | undefined, event: { readonly path: string; readonly fileId: string }): string | undefined {
    if (before === undefined) return `updated ${event.path}, which was not there`
    return before.fileId === event.fileId ? undefined : `the update of ${event.path} changed its file id`
  }

  #wrongMove(source: Version | undefined, event: { readonly from: string; readonly fileId: string }): string | undefined {
    if (source === undefined) return `moved ${event.from}, which was not there`
    if (this.#hasChildren(event.from)) return `moved ${event.from}, which had something in it`
    return source.fileId === event.fileId ? undefined : `the move of ${event.from} changed its file id`
  }

  #wrongDelete(before: Version | undefined, path: string): string | undefined {
    if (before === undefined) return `deleted ${path}, which was not there`
    return this.#hasChildren(path) ? `deleted ${path}, which had something in it` : undefined
  }
}

/** One step of the log: the event, what it replaced, and the tree after it. */
export type OnStep = (entry: LogEntry, replaced: readonly Version[], fold: Fold) => void

/** Folds the whole log, checks that it is a tree at every revision (I18), and calls `each` at every event. */
export const walkLog = (evidence: Evidence, each: OnStep): Fold => {
  const fold = new Fold()
  for (const [index, entry] of evidence.log.entries()) {
    if (entry.revision !== index) evidence.trace.violated('I18', `revision ${entry.revision} stands where ${index} belongs`)
    const { replaced, wrong } = fold.apply(entry)
    if (wrong !== undefined) evidence.trace.violated('I18', `revision ${entry.revision}: ${wrong}`)
    each(entry, replaced, fold)
  }
  return fold
}

export const foldUpTo = (log: readonly LogEntry[], revision: number): Fold => {
  const fold = new Fold()
  for (const entry of log) if (entry.revision <= revision) fold.apply(entry)
  return fold
}
