import * as E from 'fp-ts/lib/Either.js'
import type { Hash } from '../domain/content.ts'
import type { PackEntry, PackEvent } from '../domain/events.ts'
import { sha256 } from '../protocol/hash.ts'
import { CHUNKS, hashInName, PACKS } from './names.ts'
import { decodePack } from './pack.ts'
import type { ObjectStore } from './port.ts'

/** An object that is not what its name says, and the chunks that can't be read from it, as far as it still tells. */
export interface DamagedObject {
  readonly name: string
  readonly reason: string
  readonly chunks: readonly Hash[]
}

const isWhole =
  (pack: Buffer) =>
  ({ hash, offset, size }: PackEntry): boolean =>
    sha256(pack.subarray(offset, offset + size)) === hash

const reasonOf = (error: { readonly tag: string; readonly reason?: string }): string => error.reason ?? error.tag

/** Throws where the store can't be read: a repair from half of it would pass for a whole one. */
export async function* scanPacks(store: ObjectStore): AsyncGenerator<PackEvent> {
  for await (const { name } of store.list(PACKS)) {
    const pack = hashInName(name)
    const read = pack === undefined ? undefined : await store.get(name)()
    if (pack === undefined || read === undefined) continue
    if (E.isLeft(read) && read.left.tag === 'Unavailable') throw new Error(`${name}: ${read.left.reason}`)
    const entries = E.isRight(read) ? E.getOrElse((): readonly PackEntry[] => [])(decodePack(read.right)).filter(isWhole(read.right)) : []
    if (entries.length > 0) yield { type: 'PackStored', pack, entries }
  }
}

const damagedChunk = (name: string, hash: Hash, bytes: Buffer): DamagedObject | undefined =>
  sha256(bytes) === hash ? undefined : { name, reason: 'its bytes have another hash', chunks: [hash] }

const damagedPack = (name: string, hash: Hash, bytes: Buffer): DamagedObject | undefined => {
  if (sha256(bytes) === hash) return undefined
  const entries = decodePack(bytes)
  if (E.isLeft(entries)) return { name, reason: `its bytes have another hash, and ${entries.left}`, chunks: [] }
  const chunks = entries.right.filter((entry) => !isWhole(bytes)(entry)).map((entry) => entry.hash)
  return { name, reason: 'its bytes have another hash', chunks }
}

const look = async (store: ObjectStore, name: string): Promise<DamagedObject | undefined> => {
  const hash = hashInName(name)
  if (hash === undefined) return { name, reason: 'no object of this store has such a name', chunks: [] }
  const read = await store.get(name)()
  if (E.isRight(read)) return (name.startsWith(CHUNKS) ? damagedChunk : damagedPack)(name, hash, read.right)
  // Removed since it was listed.
  if (read.left.tag === 'NotFound') return undefined
  return { name, reason: reasonOf(read.left), chunks: name.startsWith(CHUNKS) ? [hash] : [] }
}

/** Reads every object, one at a time. Throws where the store can't be listed. */
export async function* verifyObjects(store: ObjectStore): AsyncGenerator<DamagedObject> {
  for (const prefix of [CHUNKS, PACKS]) {
    for await (const { name } of store.list(prefix)) {
      const damage = await look(store, name)
      if (damage !== undefined) yield damage
    }
  }
}
