import { CHUNK_MIN, type Chunk } from '../../domain/content.ts'
import { MAX_PAYLOAD } from '../../transport/port.ts'

/** So many messages of chunks are under way at once: the gateway's disk and both ends' processors work on one while another is on the wire (I16). */
export const WINDOW = 8

/**
 * Takes the next message's chunks from the front of a queue. A large one travels alone, so that nobody copies it together with others, or out
 * of what came with it; small ones share a message.
 */
export const takeGroup = <P extends { readonly chunk: Chunk }>(pieces: P[]): P[] => {
  const group: P[] = []
  let bytes = 0
  for (let next = pieces[0]; next !== undefined; next = pieces[0]) {
    const { size } = next.chunk
    if (group.length > 0 && (size >= CHUNK_MIN || bytes + size > MAX_PAYLOAD)) break
    pieces.shift()
    group.push(next)
    bytes += size
    if (size >= CHUNK_MIN) break
  }
  return group
}
