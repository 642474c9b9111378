import type { MessagePort } from 'node:worker_threads'
import type { WorkArgs, WorkName } from './protocol.ts'

/** Arguments as they are sent, and the memory that changes hands with them. */
export interface Outgoing {
  readonly args: readonly unknown[]
  readonly memory: (ArrayBuffer | MessagePort)[]
}

const piece = ([stage, offset, chunk, source]: WorkArgs<'stagePiece'>): Outgoing => {
  if (source.tag === 'file') return { args: [stage, offset, chunk, source], memory: [] }
  const { bytes: whole, given = false } = source
  // Memory that holds anything else, such as a pool's, must not go away with it.
  const own = given && whole.buffer instanceof ArrayBuffer && whole.byteLength === whole.buffer.byteLength
  const bytes = own ? new Uint8Array(whole.buffer) : new Uint8Array(whole)
  return { args: [stage, offset, chunk, { tag: 'bytes', bytes }], memory: [bytes.buffer] }
}

/**
 * The caller's bytes are often views of a larger piece of memory (a frame of several chunks), and stay the caller's unless it gives them away: they are
 * copied once, here, and the copy is handed over. (Left to the structured clone, the whole frame would be copied for each of them.)
 */
export const outgoing = (name: WorkName, args: readonly unknown[]): Outgoing => {
  // The lane's types tie a call's arguments to its name.
  if (name === 'stagePacked') {
    const [packed] = args as WorkArgs<'stagePacked'>
    return { args, memory: [packed.memory] }
  }
  if (name === 'stagePiece') return piece(args as WorkArgs<'stagePiece'>)
  if (name === 'readShown') return { args, memory: [(args as WorkArgs<'readShown'>)[2].port] }
  return { args, memory: [] }
}
