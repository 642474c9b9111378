import type { Hash } from '../../domain/content.ts'
import type { Version } from '../../domain/decide/view.ts'
import type { FolderId } from '../../domain/events.ts'
import type { SyncPath } from '../../domain/path.ts'
import type { FollowReads } from '../port.ts'
import type { Facts, HistoryRow } from './facts.ts'

type Place = NonNullable<ReturnType<FollowReads['find']>>

/** What was appended since the tables' checkpoint, in memory. */
export interface Recent extends FollowReads {
  /** `order`: the place in the log of the last of the events that told these facts. */
  add(order: bigint, facts: readonly Facts[]): void
  /** The tables hold everything up to this place. */
  trim(order: bigint): void
  /** Rows held, all together. */
  readonly size: () => number
}

interface Kept {
  readonly order: bigint
  readonly facts: Facts
}

/** Values that know by when the tables have them; what is told again later stays until then. */
const stamped = <V>() => {
  const values = new Map<string, { readonly value: V; readonly order: bigint }>()
  return {
    get: (key: string): V | undefined => values.get(key)?.value,
    set: (key: string, value: V, order: bigint): void => void values.set(key, { value, order }),
    drop: (key: string, order: bigint): void => {
      if ((values.get(key)?.order ?? order) <= order) values.delete(key)
    },
  }
}

const chunkKey = (folder: FolderId, hash: Hash): string => `${folder}${hash}`
const versionKey = (folder: FolderId, revision: number): string => `${folder}/${revision}`
const pathKey = (folder: FolderId, path: SyncPath): string => `${folder}/${path}`

const weigh = ({ pack, history, chunks }: Facts): number => (pack?.entries.length ?? 0) + history.length + (chunks?.named.length ?? 0)

export const createRecent = (): Recent => {
  let queue: Kept[] = []
  let trimmed = -1n
  let size = 0
  const places = stamped<Place>()
  const chunks = stamped<number>()
  const versions = stamped<Version>()
  const rows = stamped<readonly HistoryRow[]>()

  const addRow = (row: HistoryRow, order: bigint): void => {
    const { kind, hash, folder, path, fileId, revision } = row
    const key = pathKey(folder, path)
    rows.set(key, [...(rows.get(key) ?? []), row], order)
    if (kind !== undefined && hash !== undefined) versions.set(versionKey(folder, revision), { path, fileId, kind, hash }, order)
  }
  const addOne = (order: bigint, facts: Facts): void => {
    const { pack, chunks: named, history } = facts
    for (const { hash, offset, size: bytes } of pack?.entries ?? [])
      places.set(hash, { pack: pack?.pack ?? '', offset, size: bytes }, order)
    if (named !== undefined) for (const { hash, size: bytes } of named.named) chunks.set(chunkKey(named.folder, hash), bytes, order)
    for (const row of history) addRow(row, order)
    queue.push({ order, facts })
    size += weigh(facts)
  }
  const remove = ({ order, facts }: Kept): void => {
    const { pack, chunks: named, history } = facts
    for (const { hash } of pack?.entries ?? []) places.drop(hash, order)
    if (named !== undefined) for (const { hash } of named.named) chunks.drop(chunkKey(named.folder, hash), order)
    for (const { folder, path, revision } of history) {
      versions.drop(versionKey(folder, revision), order)
      rows.drop(pathKey(folder, path), order)
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
      const end = queue.findIndex((kept) => kept.order > order)
      const gone = end < 0 ? queue : queue.slice(0, end)
      queue = end < 0 ? [] : queue.slice(end)
      gone.forEach(remove)
    },
    find: (hash) => places.get(hash),
    chunkSize: (folder, hash) => chunks.get(chunkKey(folder, hash)),
    versionAt: (folder, revision) => versions.get(versionKey(folder, revision)),
    held: (folder, path, since, { kind, hash }) =>
      (rows.get(pathKey(folder, path)) ?? []).some((row) => row.revision >= since && row.hash === hash && row.kind === kind),
  }
}
