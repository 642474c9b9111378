import type { Hash } from '../../../domain/content.ts'
import type { SmallFile } from '../port.ts'

type PackedFile = readonly [
  stage: string,
  offset: number,
  size: number,
  contentSize: number,
  hash: Hash,
  executable: boolean,
  modified: string,
]

/** Small files on their way to a worker: one piece of memory, and where in it each one lies. Views of it, one a file, would cost more than their bytes. */
export interface PackedFiles {
  readonly memory: ArrayBuffer
  readonly files: readonly PackedFile[]
}

/** The memory that these bytes, and nothing else, lie in. */
const ownMemory = (files: readonly SmallFile[]): ArrayBuffer | undefined => {
  const buffer = files.find(({ bytes }) => bytes.length > 0)?.bytes.buffer
  if (!(buffer instanceof ArrayBuffer)) return undefined
  let total = 0
  for (const { bytes } of files) {
    if (bytes.length > 0 && bytes.buffer !== buffer) return undefined
    total += bytes.length
  }
  // Memory that holds anything else, such as a pool's, must not go away with them.
  return total === buffer.byteLength ? buffer : undefined
}

const copied = (files: readonly SmallFile[]): ArrayBuffer => {
  const memory = new ArrayBuffer(files.reduce((sum, { bytes }) => sum + bytes.length, 0))
  const all = new Uint8Array(memory)
  let at = 0
  for (const { bytes } of files) {
    all.set(bytes, at)
    at += bytes.length
  }
  return memory
}

/** One copy of all bytes and one transfer; no copy where they fill their memory and are given away. */
export const packFiles = (files: readonly SmallFile[], given: boolean): PackedFiles => {
  const own = given ? ownMemory(files) : undefined
  let at = 0
  const packed = files.map(({ stage, content, bytes }): PackedFile => {
    const offset = own === undefined ? at : bytes.byteOffset
    at += bytes.length
    return [stage, bytes.length === 0 ? 0 : offset, bytes.length, content.size, content.hash, content.executable, content.modified]
  })
  return { memory: own ?? copied(files), files: packed }
}

export const unpackFiles = ({ memory, files }: PackedFiles): readonly SmallFile[] =>
  files.map(([stage, offset, size, contentSize, hash, executable, modified]) => ({
    stage,
    content: { size: contentSize, hash, executable, modified },
    bytes: new Uint8Array(memory, offset, size),
  }))
