import * as E from 'fp-ts/lib/Either.js'
import type { FolderId, TreeEntry } from '../../domain/events.ts'
import type { ReadError } from '../../eventlog/port.ts'
import { folderStream } from '../../protocol/streams.ts'
import type { Answer } from '../../protocol/messages.ts'
import type { Core } from '../core.ts'
import { toRemote } from '../entries.ts'
import { failed } from '../refusals.ts'
import { noFolder, reply, type Context, type Reply, type Signed } from './context.ts'

/** Most entries of one answer, and most bytes that they may have as JSON: an answer's head has at most 1 MiB. */
const PAGE_ENTRIES = 2000
const PAGE_BYTES = 768 * 1024
const ENTRY_BYTES = 320
const CHUNK_BYTES = 80

/** What happened in a folder since a position, each path at most once (I8). */
export const sync = async (context: Context, { request, agent }: Signed<'Sync'>): Promise<Reply> => {
  const foreign = noFolder(context, agent, request.folder)
  return reply(foreign ?? (await syncSince(context.core, request.folder, request.position)))
}

export const syncSince = async (core: Core, folder: FolderId, position: number): Promise<Answer> => {
  if (!(await reaches(core, folder, position))) return failed({ tag: 'Unavailable' })
  const head = core.state.head(folderStream(folder)) ?? { revision: -1, chain: '' }
  const page = position >= head.revision ? { entries: [], more: false } : pageSince(core, folder, position)
  const end = page.more ? (page.entries.at(-1)?.revision ?? head.revision) : head.revision
  const chain = await chainAt(core, folder, end)
  const since = await chainAt(core, folder, position)
  if (E.isLeft(chain)) return failed(chain.left)
  if (E.isLeft(since)) return failed(since.left)
  return {
    tag: 'Synced',
    status: 200,
    entries: page.entries.map(toRemote),
    position: end,
    chain: chain.right,
    since: since.right,
    head: head.revision,
    more: page.more,
  }
}

/** Whether enough of the log is known to speak of a position. Another gateway may have told of it: only the log itself can say that there is no more (I10). */
export const reaches = async (core: Core, folder: FolderId, position: number): Promise<boolean> =>
  position <= (core.state.head(folderStream(folder))?.revision ?? -1) || E.isRight(await core.tail.catchUp())

/** A page ends where its last event does: a move's two paths come together. */
export const pageSince = (
  core: Core,
  folder: FolderId,
  position: number,
): { readonly entries: readonly TreeEntry[]; readonly more: boolean } => {
  const found = core.state.tree(folder).since(position, PAGE_ENTRIES + 1)
  let bytes = 0
  let end = 0
  for (const [index, entry] of found.entries()) {
    bytes += weigh(entry)
    if (index === PAGE_ENTRIES || (bytes > PAGE_BYTES && end > 0)) return { entries: found.slice(0, end), more: true }
    if (found[index + 1]?.revision !== entry.revision) end = index + 1
  }
  return { entries: found, more: false }
}

/** An entry's bytes as JSON, roughly. */
export const weigh = ({ path, content }: TreeEntry): number =>
  ENTRY_BYTES +
  Buffer.byteLength(JSON.stringify(path)) +
  (content?.manifest.tag === 'chunks' ? content.manifest.chunks.length * CHUNK_BYTES : CHUNK_BYTES)

/** The log's chain at a revision; '' before its start and beyond its end. */
export const chainAt = async ({ state, log }: Core, folder: FolderId, revision: number): Promise<E.Either<ReadError, string>> => {
  const head = state.head(folderStream(folder))
  if (head === undefined || revision < 0 || revision > head.revision) return E.right('')
  if (revision === head.revision) return E.right(head.chain)
  return E.map((events: readonly { readonly chain: string }[]) => events[0]?.chain ?? '')(
    await log.read(folderStream(folder), revision, 1)(),
  )
}
