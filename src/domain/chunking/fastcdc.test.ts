import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CHUNK_AVERAGE, CHUNK_MAX, CHUNK_MIN } from '../content.ts'
import { chunkSizes, createChunker } from './fastcdc.ts'
import { GEAR_SEED, gearTable } from './gear.ts'

const MIB = 1024 * 1024

/** Bytes that any language makes again from the seed: xorshift32, its low byte. */
const noise = (size: number, seed: number): Uint8Array => {
  const bytes = new Uint8Array(size)
  let x = seed | 1
  for (let i = 0; i < size; i++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    bytes[i] = x
  }
  return bytes
}

const pushed = (bytes: Uint8Array, pieces: readonly number[]): number[] => {
  const chunker = createChunker()
  const sizes: number[] = []
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const piece = pieces[i % pieces.length] ?? 1
    sizes.push(...chunker.push(bytes.subarray(at, at + piece)))
    at += piece
  }
  const last = chunker.finish()
  return last === 0 ? sizes : [...sizes, last]
}

/** The rule as it is written down, a byte at a time. */
const byTheRule = (bytes: Uint8Array): number[] => {
  const gear = gearTable(GEAR_SEED)
  const sizes: number[] = []
  let [size, hash] = [0, 0]
  for (const byte of bytes) {
    size += 1
    if (size > CHUNK_MIN) hash = (hash * 2 + (gear[byte] ?? 0)) >>> 0
    if (size === CHUNK_MAX || (size > CHUNK_MIN && hash < (size <= CHUNK_AVERAGE ? 2 ** 10 : 2 ** 14))) {
      sizes.push(size)
      size = hash = 0
    }
  }
  return size === 0 ? sizes : [...sizes, size]
}

const ends = (sizes: readonly number[]): number[] => {
  let sum = 0
  return sizes.map((size) => (sum += size))
}

const sample = noise(24 * MIB, 7)

describe('createChunker', () => {
  test('chunks add up to the content, and each is within the bounds, the last one only above', () => {
    for (const size of [0, 1, CHUNK_MIN - 1, CHUNK_MIN, CHUNK_MIN + 1, CHUNK_MAX, 10 * MIB + 3]) {
      const sizes = chunkSizes(sample.subarray(0, size))
      expect(sizes.reduce((sum, n) => sum + n, 0)).toBe(size)
      expect(sizes.slice(0, -1).every((n) => n > CHUNK_MIN && n <= CHUNK_MAX)).toBe(true)
      expect(sizes.every((n) => n > 0 && n <= CHUNK_MAX)).toBe(true)
    }
  })

  test('of nothing there is no chunk; of at most the minimum there is one', () => {
    expect(chunkSizes(new Uint8Array())).toEqual([])
    expect(chunkSizes(sample.subarray(0, 1))).toEqual([1])
    expect(chunkSizes(sample.subarray(0, CHUNK_MIN))).toEqual([CHUNK_MIN])
  })

  test('the cuts do not depend on how the bytes were pushed', () => {
    const bytes = sample.subarray(0, 9 * MIB + 77)
    const whole = chunkSizes(bytes)
    const pieces = fc.array(fc.oneof(fc.integer({ min: 500, max: 5000 }), fc.integer({ min: 1, max: 6 * MIB })), {
      minLength: 1,
      maxLength: 8,
    })
    fc.assert(
      fc.property(pieces, (each) => {
        expect(pushed(bytes, each)).toEqual(whole)
      }),
      { numRuns: 20 },
    )
    expect(pushed(bytes.subarray(0, 2 * MIB), [1])).toEqual(chunkSizes(bytes.subarray(0, 2 * MIB)))
  })

  test('the unrolled loop follows the rule', () => {
    expect(chunkSizes(sample)).toEqual(byTheRule(sample))
  })

  test('a chunker is fresh after finish', () => {
    const chunker = createChunker()
    const first = [...chunker.push(sample.subarray(0, 3 * MIB)), chunker.finish()]
    expect([...chunker.push(sample.subarray(0, 3 * MIB)), chunker.finish()]).toEqual(first)
  })

  test('after an insertion at the front the later cuts are the same', () => {
    const before = ends(chunkSizes(sample))
    for (const inserted of [1, 3, 100, 70_000]) {
      const longer = new Uint8Array(sample.length + inserted)
      longer.set(sample, inserted)
      const after = new Set(ends(chunkSizes(longer)).map((end) => end - inserted))
      expect(before.slice(4).every((end) => after.has(end))).toBe(true)
    }
  })

  test('one byte overwritten changes at most two chunks beside its own', () => {
    const before = new Set(ends(chunkSizes(sample)))
    fc.assert(
      fc.property(fc.integer({ min: 0, max: sample.length - 1 }), (at) => {
        const changed = sample.slice()
        changed[at] = (changed[at] ?? 0) ^ 0xff
        const lost = ends(chunkSizes(changed)).filter((end) => !before.has(end))
        expect(lost.length).toBeLessThanOrEqual(2)
      }),
      { numRuns: 20 },
    )
  })

  test('the mean is near the average', () => {
    const sizes = chunkSizes(noise(96 * MIB, 3))
    const mean = (96 * MIB) / sizes.length
    expect(mean).toBeGreaterThan(0.8 * CHUNK_AVERAGE)
    expect(mean).toBeLessThan(1.6 * CHUNK_AVERAGE)
  })

  test('no byte value repeated cuts before the maximum', () => {
    const run = new Uint8Array(CHUNK_MAX + 10)
    for (let value = 0; value < 256; value++) expect(chunkSizes(run.fill(value))).toEqual([CHUNK_MAX, 10])
  })

  test('golden: the cuts are part of the format', () => {
    expect([...gearTable(GEAR_SEED).subarray(0, 3)].map((n) => n >>> 0)).toEqual([1528699474, 335965807, 2674290533])
    expect(chunkSizes(sample.subarray(0, 8 * MIB))).toEqual([1465570, 1192459, 1142253, 1336652, 1084739, 808168, 1247530, 111237])
    expect(chunkSizes(noise(3 * MIB, 99))).toEqual([1223627, 1095889, 826212])
  })
})
