import { CHUNKS, chunkName, hashInName, PACKS, packName } from './names.ts'
import { decodePack, packSize } from './pack.ts'
import type { ObjectStore, StoredObject, StoredObjects } from './port.ts'

/** Objects lie in so many directories of each kind, named by two hex digits. */
const DIRECTORIES = 256

const PARTS: readonly string[] = [PACKS, CHUNKS].flatMap((kind) =>
  Array.from({ length: DIRECTORIES }, (_, at) => `${kind}${at.toString(16).padStart(2, '0')}/`),
)

/** A store's objects, for audits. `listing` by directory costs nothing where they are directories; of a server each list is a call. */
export const storedObjects = (store: ObjectStore, listing: 'byDirectory' | 'atOnce' = 'atOnce'): StoredObjects => ({
  parts: listing === 'byDirectory' ? PARTS : [PACKS, CHUNKS],
  list: (part) => list(store, part),
  chunk: (hash, place) =>
    place === undefined ? store.get(chunkName(hash)) : store.get(packName(place.pack), { offset: place.offset, length: place.size }),
  bytes: ({ name }) => store.get(name),
  entries: decodePack,
  packSize,
})

async function* list(store: ObjectStore, part: string): AsyncGenerator<StoredObject> {
  for await (const { name, size } of store.list(part)) {
    const hash = hashInName(name)
    if (hash !== undefined) yield { kind: part.startsWith(PACKS) ? 'pack' : 'chunk', name, hash, size }
  }
}
