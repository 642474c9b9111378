/** A block's size grows up to this: a few small readings take little more than themselves, many share few blocks. */
const LARGEST = 256 * 1024

/** Memory for the bytes of many small files, cut from few blocks: one allocation a file, and one hand-over between threads, cost more than to read it. */
export interface Slab {
  /** So many bytes that nobody else has. */
  readonly take: (size: number) => Uint8Array<ArrayBuffer>
}

export const createSlab = (): Slab => {
  let block = new Uint8Array(0)
  let used = 0
  return {
    take: (size) => {
      if (block.length - used < size) {
        block = new Uint8Array(Math.max(size, Math.min(LARGEST, 2 * block.length)))
        used = 0
      }
      used += size
      return block.subarray(used - size, used)
    },
  }
}
