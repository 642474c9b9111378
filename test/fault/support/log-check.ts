import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { createBlobStore } from '../../../src/blobstore/chunk-store.ts'
import { openFilesystemStore } from '../../../src/blobstore/object-store/filesystem.ts'
import type { ObjectStore } from '../../../src/blobstore/port.ts'
import type { Content, Hash } from '../../../src/domain/content.ts'
import { isFileEvent, touched } from '../../../src/domain/tree.ts'
import type { RecordedEvent } from '../../../src/eventlog/port.ts'
import { chainOf } from '../../../src/protocol/chain.ts'
import { decodeLogEvent, type LogEvent } from '../../../src/protocol/log-event.ts'
import { decodeManifest } from '../../../src/protocol/manifest.ts'
import { eventsIn } from '../../support/log.ts'

/** Whose contents must be there: of every version that there ever was, or of the present trees alone (after retention). */
type Of = 'history' | 'tree'

/** What is wrong with an embedded gateway's log and store, which has ended. */
export const damageOf = async (data: string, of: Of = 'history'): Promise<readonly string[]> => {
  const store = await openFilesystemStore(join(data, 'objects'))()
  if (E.isLeft(store)) return [`the store: ${JSON.stringify(store.left)}`]
  await using objects = store.right
  return await damageIn(eventsIn(join(data, 'log.db')), objects, of)
}

interface Named {
  readonly hash: Hash
  readonly size: number
}

const contentsOf = (of: Of) => {
  const contents = new Map<string, Content>()
  let count = 0
  const note = (decoded: LogEvent, revision: number): void => {
    if (decoded.of !== 'folder' || !isFileEvent(decoded.event)) return
    for (const { path, content } of touched(decoded.event, revision)) {
      const place = of === 'tree' ? `${decoded.folder}/${path}` : String((count += 1))
      if (content === undefined) contents.delete(place)
      else contents.set(place, content)
    }
  }
  return { note, contents }
}

const chunksIn = ({ manifest }: Content): readonly Named[] => (manifest.tag === 'object' ? [manifest] : manifest.chunks)

/** What is wrong with a log and a store, from the log alone: chains, revisions, and chunks that events name (I6, I9). */
export const damageIn = async (events: Iterable<RecordedEvent>, objects: ObjectStore, of: Of = 'history'): Promise<readonly string[]> => {
  const found: string[] = []
  const heads = new Map<string, { readonly revision: number; readonly chain: string }>()
  const places = new Map<Hash, { readonly pack: string; readonly offset: number; readonly size: number }>()
  const { note, contents } = contentsOf(of)
  const notePacks = (decoded: LogEvent): void => {
    if (decoded.of !== 'packs') return
    const { event } = decoded
    if (event.type === 'PackStored')
      for (const { hash, offset, size } of event.entries) places.set(hash, { pack: event.pack, offset, size })
    if (event.type === 'PackRetiring') for (const hash of event.chunks) places.delete(hash)
  }
  for (const event of events) {
    const at = `${event.stream} ${event.revision}`
    const before = heads.get(event.stream)
    if (event.revision !== (before?.revision ?? -1) + 1) found.push(`${at}: a gap before it`)
    if (event.chain !== chainOf(before?.chain ?? '', event)) found.push(`${at}: its chain is broken`)
    heads.set(event.stream, event)
    const decoded = decodeLogEvent(event.stream, event)
    if (E.isLeft(decoded)) found.push(`${at}: ${JSON.stringify(decoded.left)}`)
    else {
      note(decoded.right, event.revision)
      notePacks(decoded.right)
    }
  }
  const all = [...contents.values()]
  const named = new Map(all.flatMap(chunksIn).map(({ hash, size }) => [hash, size]))
  const manifests = new Set(all.flatMap(({ manifest }) => (manifest.tag === 'object' ? [manifest.hash] : [])))
  return [...found, ...(await unreadable(objects, places, named, manifests))]
}

const unreadable = async (
  objects: ObjectStore,
  places: ReadonlyMap<Hash, { readonly pack: string; readonly offset: number; readonly size: number }>,
  named: Map<Hash, number>,
  manifests: ReadonlySet<Hash>,
): Promise<string[]> => {
  const chunks = createBlobStore(objects, {
    find: (hash) => places.get(hash),
    isGone: () => false,
    isRetired: () => false,
    together: (ask) => ask(),
  })
  const found: string[] = []
  // A manifest that is read adds what it names, which is read in its turn.
  for (const [hash, size] of named) {
    const read = await chunks.get(hash)()
    if (E.isLeft(read)) found.push(`chunk ${hash}: ${JSON.stringify(read.left)}`)
    else if (read.right.length !== size) found.push(`chunk ${hash}: ${read.right.length} bytes, and not ${size}`)
    const listed = E.isRight(read) && manifests.has(hash) ? decodeManifest(read.right) : E.right([])
    if (E.isLeft(listed)) found.push(`manifest ${hash}: is none`)
    else for (const chunk of listed.right) named.set(chunk.hash, chunk.size)
  }
  return found
}

/** How many files, and bytes in them, lie under a directory. */
export const weightOf = (directory: string): { readonly files: number; readonly bytes: number } => {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return { files: files.length, bytes: files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0) }
}
