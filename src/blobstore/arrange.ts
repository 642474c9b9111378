import { MAX_PACK_BYTES, MAX_PACK_CHUNKS, packSize } from './pack.ts'
import type { NewChunk } from './port.ts'

/** From this size on a chunk is an object of its own: a pack would save little, and a damaged pack lose more. */
const OWN_OBJECT_BYTES = 256 * 1024

export interface Arrangement {
  readonly own: readonly NewChunk[]
  readonly packs: readonly (readonly NewChunk[])[]
}

const fits = (pack: readonly NewChunk[], bytes: number, chunk: NewChunk): boolean =>
  pack.length < MAX_PACK_CHUNKS && packSize(pack.length + 1, bytes + chunk.bytes.length) <= MAX_PACK_BYTES

/** As few packs as hold them, in order. */
export const inPacks = (chunks: readonly NewChunk[]): NewChunk[][] => {
  const packs: NewChunk[][] = []
  let bytes = 0
  for (const chunk of chunks) {
    const pack = packs.at(-1)
    if (pack !== undefined && fits(pack, bytes, chunk)) {
      pack.push(chunk)
      bytes += chunk.bytes.length
    } else {
      packs.push([chunk])
      bytes = chunk.bytes.length
    }
  }
  return packs
}

/** Which chunks of a batch become objects of their own, and which share packs, in the order in which they came. */
export const arrange = (chunks: readonly NewChunk[]): Arrangement => {
  const isLarge = ({ bytes }: NewChunk): boolean => bytes.length >= OWN_OBJECT_BYTES
  const packs = inPacks(chunks.filter((chunk) => !isLarge(chunk)))
  return {
    own: [...chunks.filter(isLarge), ...packs.filter(({ length }) => length === 1).flat()],
    packs: packs.filter(({ length }) => length > 1),
  }
}
