import type { Chunk } from '../domain/content.ts'
import type { FolderId, HeadOfStream, TreeEntry } from '../domain/events.ts'
import { encodePage, MAX_PAGE_CONTENT, MAX_PAGE_CONTENTS, MAX_PAGE_ENTRIES } from '../protocol/page.ts'
import { folderStream } from '../protocol/streams.ts'
import { NO_BYTES, type Envelope } from '../transport/port.ts'
import type { Core } from './core.ts'
import { toRemote } from './entries.ts'
import { pageSince, weigh } from './handlers/sync.ts'
import type { Job } from './writer/job.ts'

/** Whoever follows a folder closely gets what was just appended to it along with the notification; everybody else asks. */
export interface Pages {
  /** With the new contents that are small: nobody who gets it has them. */
  readonly whole: Envelope
  /** For the agent that sent them. */
  readonly bare: Envelope
}

/** What a page may weigh as JSON: those that can't use it get it for nothing. */
const MAX_PAGE_BYTES = 128 * 1024

/** The page from before an append to the head; undefined where it is too large to be sent unasked, or the folder has grown again. */
export const pagesAfter = (
  core: Core,
  folder: FolderId,
  before: HeadOfStream | undefined,
  end: number,
  jobs: readonly Job[],
): Pages | undefined => {
  const head = core.state.head(folderStream(folder))
  const from = before?.revision ?? -1
  if (head?.revision !== end || end - from > MAX_PAGE_ENTRIES) return undefined
  const { entries, more } = pageSince(core, folder, from)
  if (more || entries.length > MAX_PAGE_ENTRIES || entries.reduce((sum, entry) => sum + weigh(entry), 0) > MAX_PAGE_BYTES) return undefined
  const { contents, bytes } = smallContents(entries, jobs)
  const message = encodePage({ from, since: before?.chain ?? '', chain: head.chain, entries: entries.map(toRemote), contents })
  return { whole: { message, payload: bytes }, bare: { message: { ...message, Contents: [] }, payload: NO_BYTES } }
}

/** The contents that came inside the messages and are now in the folder, as far as they are small. */
const smallContents = (
  entries: readonly TreeEntry[],
  jobs: readonly Job[],
): { readonly contents: readonly Chunk[]; readonly bytes: Uint8Array } => {
  const found = new Map<string, { readonly chunk: Chunk; readonly bytes: Uint8Array }>()
  let room = MAX_PAGE_CONTENTS
  for (const { content } of entries) {
    if (content === undefined || content.size === 0 || content.size > Math.min(room, MAX_PAGE_CONTENT) || found.has(content.hash)) continue
    const bytes = jobs.find(({ contents }) => contents.has(content.hash))?.contents.get(content.hash)?.bytes
    if (bytes?.length !== content.size) continue
    found.set(content.hash, { chunk: { hash: content.hash, size: content.size }, bytes })
    room -= content.size
  }
  const all = [...found.values()]
  return { contents: all.map(({ chunk }) => chunk), bytes: Buffer.concat(all.map(({ bytes }) => bytes)) }
}
