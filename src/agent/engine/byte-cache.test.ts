import { expect, it } from 'vitest'
import type { Hash } from '../../domain/content.ts'
import { ByteCache } from './byte-cache.ts'

const MIB = 1024 * 1024
// Of the right form.
const hashOf = (number: number): Hash => number.toString(16).padStart(64, '0') as Hash

it('keeps the latest contents, up to its limit', () => {
  const cache = new ByteCache(32 * MIB)
  for (let each = 0; each < 40; each += 1) cache.set(hashOf(each), new Uint8Array(MIB))
  const kept = Array.from({ length: 40 }, (_, each) => each).filter((each) => cache.get(hashOf(each)) !== undefined)
  expect(kept.at(0)).toBe(8)
  expect(kept).toHaveLength(32)
})

it('makes room for others when a content is sent, and counts each once', () => {
  const cache = new ByteCache(32 * MIB)
  for (let each = 0; each < 32; each += 1) cache.set(hashOf(each), new Uint8Array(MIB))
  cache.set(hashOf(3), new Uint8Array(MIB))
  cache.delete(hashOf(5))
  cache.delete(hashOf(5))
  cache.set(hashOf(100), new Uint8Array(MIB))
  expect(cache.get(hashOf(5))).toBeUndefined()
  expect([0, 3, 31, 100].every((each) => cache.get(hashOf(each)) !== undefined)).toBe(true)
})

it('counts the memory that contents share until the last of them is gone (I16)', () => {
  const cache = new ByteCache(32 * MIB)
  const block = new Uint8Array(4 * MIB)
  for (let each = 0; each < 4; each += 1) cache.set(hashOf(each), block.subarray(each, each + 1))
  expect(cache.total).toBe(4 * MIB)
  for (let each = 0; each < 3; each += 1) cache.delete(hashOf(each))
  expect(cache.total).toBe(4 * MIB)
  cache.delete(hashOf(3))
  expect(cache.total).toBe(0)
})
