import type { Revision } from '../../domain/change.ts'
import type { Hash } from '../../domain/content.ts'
import type { Version } from '../../domain/decide/view.ts'
import type { FolderId } from '../../domain/events.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { FollowReads, Held } from '../port.ts'
import type { Facts, HistoryRow } from './facts.ts'

type Place = NonNullable<ReturnType<FollowReads['find']>>

/** What was appended since the tables' checkpoint, in memory. */
export interface Recent extends FollowReads {
  /** `order`: the place in the log of the last of the events that told these facts. */
  add(order: bigint, facts: readonly Facts[]): void
  /** The tables hold everything up to this place. */
  trim(order: bigint): void
  /** Rows held, all together. */
  size(): number
}

interface Kept {
  readonly order: bigint
  readonly facts: Facts
}

type Row = HistoryRow & { readonly order: bigint }

const pathKey = (folder: FolderId, path: SyncPath): string => `${folder}/${path}`

const weigh = ({ pack, history, chunks }: Facts): number => (pack?.entries.length ?? 0) + history.length + (chunks?.named.length ?? 0)

export const createRecent = (): Recent => {
  let queue: Kept[] = []
  let trimmed = -1n
  let size = 0
  const places = new Map<Hash, Place & { readonly order: bigint }>()
  const chunks = new Map<string, { readonly size: number; readonly order: bigint }>()
  const versions = new Map<string, Version & { readonly order: bigint }>()
  const rows = new Map<string, readonly Row[]>()

  const addRow = (row: Row): void => {
    const key = pathKey(row.folder, row.path)
    rows.set(key, [...(rows.get(key) ?? []), row])
    const { kind, hash, folder, path, fileId, revision, order } = row
    if (kind !== undefined && hash !== undefined) versions.set(`${folder}/${revision}`, { path, fileId, kind, hash, order })
  }
  const addOne = (order: bigint, facts: Facts): void => {
    const { pack } = facts
    for (const { hash, offset, size: bytes } of pack?.entries ?? [])
      places.set(hash, { pack: pack?.pack ?? '', offset, size: bytes, order })
    for (const { hash, size: bytes } of facts.chunks?.named ?? []) chunks.set(`${facts.chunks?.folder}${hash}`, { size: bytes, order })
    for (const row of facts.history) addRow({ ...row, order })
    queue.push({ order, facts })
    size += weigh(facts)
  }
  /** What a later event told again stays until that one is trimmed. */
  const remove = ({ order, facts }: Kept): void => {
    for (const { hash } of facts.pack?.entries ?? []) if ((places.get(hash)?.order ?? order) <= order) places.delete(hash)
    for (const { hash } of facts.chunks?.named ?? []) {
      const key = `${facts.chunks?.folder}${hash}`
      if ((chunks.get(key)?.order ?? order) <= order) chunks.delete(key)
    }
    for (const { folder, path, revision } of facts.history) {
      versions.delete(`${folder}/${revision}`)
      const left = (rows.get(pathKey(folder, path)) ?? []).filter((row) => row.order > order)
      if (left.length === 0) rows.delete(pathKey(folder, path))
      else rows.set(pathKey(folder, path), left)
    }
    size -= weigh(facts)
  }
  return {
    size: () => size,
    add: (order, facts) => {
      // The tables may have been quicker.
      if (order > trimmed) for (const fact of facts) addOne(order, fact)
    },
    trim: (order) => {
      trimmed = order > trimmed ? order : trimmed
      const end = queue.findIndex((held) => held.order > order)
      const gone = end < 0 ? queue : queue.slice(0, end)
      queue = end < 0 ? [] : queue.slice(end)
      gone.forEach(remove)
    },
    find: (hash) => places.get(hash),
    chunkSize: (folder, hash) => chunks.get(`${folder}${hash}`)?.size,
    versionAt: (folder: FolderId, revision: Revision) => versions.get(`${folder}/${revision}`),
    held: (folder, path, since, { kind, hash }: Held) =>
      (rows.get(pathKey(folder, path)) ?? []).some((row) => row.revision >= since && row.hash === hash && row.kind === kind),
  }
}
