import * as E from 'fp-ts/lib/Either.js'
import type { Hash } from '../domain/content.ts'
import type { PackEntry } from '../domain/events.ts'
import { sha256 } from '../protocol/hash.ts'
import { CHUNKS, chunkName, hashInName, PACKS, packName } from './names.ts'
import { decodePack, hashesInTail, MAX_INDEX_BYTES } from './pack.ts'
import type { NewChunk, ObjectStore, RetiredObject, SweptObject, StoreError, Sweep } from './port.ts'

const nameOf = (object: RetiredObject): string => ('pack' in object ? packName(object.pack) : chunkName(object.chunk))

async function* objects(store: ObjectStore): AsyncGenerator<SweptObject> {
  for (const prefix of [PACKS, CHUNKS]) {
    for await (const { name, size } of store.list(prefix)) {
      const hash = hashInName(name)
      if (hash !== undefined) yield { object: prefix === PACKS ? { pack: hash } : { chunk: hash }, bytes: size }
    }
  }
}

const whole = (chunks: readonly { readonly hash: Hash; readonly bytes: Buffer }[]): readonly NewChunk[] =>
  chunks.filter(({ hash, bytes }) => sha256(bytes) === hash).map((chunk) => ({ ...chunk, checked: true }))

const chunksIn = (object: RetiredObject, bytes: Buffer): readonly NewChunk[] => {
  if ('chunk' in object) return whole([{ hash: object.chunk, bytes }])
  const entries = E.getOrElse((): readonly PackEntry[] => [])(decodePack(bytes))
  return whole(entries.map(({ hash, offset, size }) => ({ hash, bytes: bytes.subarray(offset, offset + size) })))
}

/** What can't be read as it should be holds nothing. */
const orNothing = <A>(read: E.Either<StoreError, readonly A[]>): E.Either<StoreError, readonly A[]> =>
  E.isLeft(read) && (read.left.tag === 'NotFound' || read.left.tag === 'Damaged') ? E.right([]) : read

const chunksOf = async (store: ObjectStore, pack: string, bytes: number): Promise<E.Either<StoreError, readonly Hash[]>> => {
  const length = Math.min(bytes, MAX_INDEX_BYTES)
  const tail = await store.get(packName(pack), { offset: bytes - length, length })()
  return E.map((read: Buffer) => E.getOrElse((): readonly Hash[] => [])(hashesInTail(read)))(tail)
}

export const createSweep = (store: ObjectStore): Sweep => ({
  objects: () => objects(store),
  chunksOf: (pack, bytes) => async () => orNothing(await chunksOf(store, pack, bytes)),
  open: (object) => async () => orNothing(E.map((bytes: Buffer) => chunksIn(object, bytes))(await store.get(nameOf(object))())),
  remove: (object) => store.remove(nameOf(object)),
})
