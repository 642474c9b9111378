import { expect, it } from 'vitest'
import { createSlab } from './slab.ts'

it('gives each taker bytes of its own, in few blocks', () => {
  const slab = createSlab()
  const taken = Array.from({ length: 100 }, (_, at) => slab.take(1_000).fill(at))
  expect(taken.every((bytes, at) => bytes.length === 1_000 && bytes.every((byte) => byte === at))).toBe(true)
  expect(new Set(taken.map(({ buffer }) => buffer)).size).toBeLessThan(10)
})

it('takes no more memory for one than it is long', () => {
  expect(createSlab().take(5).buffer.byteLength).toBe(5)
  expect(createSlab().take(1_000_000).buffer.byteLength).toBe(1_000_000)
  expect(createSlab().take(0).length).toBe(0)
})
