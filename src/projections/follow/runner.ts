import * as E from 'fp-ts/lib/Either.js'
import type { Chunk, Hash } from '../../domain/content.ts'
import type { LogPosition, ReadError, RecordedEvent } from '../../eventlog/port.ts'
import { manifestNeeded } from '../../protocol/log-event.ts'
import type { LogDecoder, Stopped } from '../port.ts'
import { factsOf, type Facts } from './facts.ts'
import type { FollowTables } from './write.ts'

export interface FollowSource {
  readonly decoder: LogDecoder
  /** At most `max` events of all streams after a position; none at the end. */
  readonly page: (after: LogPosition | 'start', max: number) => Promise<E.Either<ReadError, readonly RecordedEvent[]>>
  /** The chain of the event at a place in the log; undefined where none is there. */
  readonly chainAt: (position: LogPosition) => Promise<E.Either<ReadError, string | undefined>>
  /** The chunks that a manifest object names; undefined where it is damaged or gone. */
  readonly manifest: (hash: Hash) => Promise<E.Either<ReadError, readonly Chunk[] | undefined>>
}

const PAGE = 4096

/** Folds the next page into the tables, its checkpoint with it; gives the new checkpoint, or undefined at the log's end. */
export const followPage = async (
  source: FollowSource,
  tables: FollowTables,
): Promise<E.Either<ReadError | Stopped, LogPosition | undefined>> => {
  const page = await source.page(tables.checkpoint()?.position ?? 'start', PAGE)
  if (E.isLeft(page)) return page
  const last = page.right.at(-1)
  if (last === undefined) return E.right(undefined)
  const facts: Facts[] = []
  for (const event of page.right) {
    const decoded = source.decoder.decode(event)
    if (E.isLeft(decoded)) return decoded
    const manifest = manifestNeeded(decoded.right.event)
    // The object may lie in a pack that this very page tells of.
    if (manifest !== undefined) tables.keep(facts.splice(0), undefined)
    const chunks = manifest === undefined ? E.right(undefined) : await source.manifest(manifest.hash)
    if (E.isLeft(chunks)) return chunks
    facts.push(factsOf(decoded.right, event.revision, () => chunks.right))
  }
  tables.keep(facts, { position: last.position, chain: last.chain })
  return E.right(last.position)
}

/** Empties tables that were folded from another log: from one that has been cut, or restored from an older copy, since. */
export const checkCheckpoint = async (source: FollowSource, tables: FollowTables): Promise<E.Either<ReadError, void>> => {
  const checkpoint = tables.checkpoint()
  if (checkpoint === undefined) return E.right(undefined)
  const chain = await source.chainAt(checkpoint.position)
  if (E.isLeft(chain)) return chain
  if (chain.right !== checkpoint.chain) tables.empty()
  return E.right(undefined)
}

/** Folds all that there is; `folded` is told after each page how far it is. */
export const followToEnd = async (
  source: FollowSource,
  tables: FollowTables,
  folded: (upTo: LogPosition) => void = () => undefined,
): Promise<E.Either<ReadError | Stopped, void>> => {
  const checked = await checkCheckpoint(source, tables)
  if (E.isLeft(checked)) return checked
  for (;;) {
    const page = await followPage(source, tables)
    if (E.isLeft(page)) return page
    if (page.right === undefined) return E.right(undefined)
    folded(page.right)
  }
}
