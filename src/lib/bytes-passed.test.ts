import { describe, expect, it, vi } from 'vitest'
import { bytesPassed } from './bytes-passed.ts'

const MIB = 1024 * 1024

describe('bytesPassed', () => {
  it('gives back the memory of buffers that nothing holds any more, some MiB at a time', async () => {
    const held = process.memoryUsage().arrayBuffers
    for (let count = 0; count < 40; count += 1) new Uint8Array(MIB).fill(1)
    expect(process.memoryUsage().arrayBuffers).toBeGreaterThan(held + 20 * MIB)
    bytesPassed(40 * MIB)
    await vi.waitUntil(() => process.memoryUsage().arrayBuffers < held + 10 * MIB, 10_000)
  })
})
