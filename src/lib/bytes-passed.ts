import { collector } from './collector.ts'

/** Well below the 64 MiB outside of its heap after which V8 marks all of the heap. */
const EVERY = 32 * 1024 * 1024

let passed = 0

/**
 * To be told of bytes that pass through this thread in short-lived buffers. V8 counts a buffer's bytes, which lie outside of its heap, and marks the whole
 * heap for every 64 MiB of them, though the buffers are garbage as soon as they are written: with files of a GiB that took a third of the gateway's CPU.
 * A collection of the young generation alone takes a millisecond, and gives them back.
 */
export const bytesPassed = (bytes: number): void => {
  passed += bytes
  if (passed < EVERY) return
  passed = 0
  collector()({ type: 'minor', execution: 'sync' })
}
